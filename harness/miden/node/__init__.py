"""A real Miden node: its image, container and status, and its sharing among processes."""
