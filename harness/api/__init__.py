"""The harness as calls, for tests and scripts: they return values and raise what is wrong."""
