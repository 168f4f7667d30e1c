"""The service itself: its operations, those that are under way, and its audit."""
