"""Processes: their signals, their identity, and the end of worker processes."""
