"""The ports of what a run stands on: a backend, and the stage that it gives a run."""
