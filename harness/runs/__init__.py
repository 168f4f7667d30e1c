"""Runs: one scenario, one backend, one seed, from an empty folder to a result; and batches."""
