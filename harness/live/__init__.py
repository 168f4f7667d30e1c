"""The live backend: the real clock, and partners in Docker containers."""
