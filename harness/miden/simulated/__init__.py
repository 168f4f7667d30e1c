"""The Miden node and its clients as SimPy models."""
