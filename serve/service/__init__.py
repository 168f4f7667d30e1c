"""The service itself: what callers do, which operations are under way, and its audit."""
