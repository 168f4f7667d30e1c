"""A run made again, in another process: what its seed does not decide shows."""
