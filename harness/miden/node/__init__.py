"""A real Miden node: its image, its container, its status, one node for many processes."""
