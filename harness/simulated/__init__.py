"""Simulated runs on virtual time: all that knows SimPy."""
