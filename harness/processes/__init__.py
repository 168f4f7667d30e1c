"""Processes: pools of workers, signals, and the identity of a process."""
