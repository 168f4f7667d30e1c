"""Own the simulated half: all that knows SimPy."""
