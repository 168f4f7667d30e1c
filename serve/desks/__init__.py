"""The desks, restored from their table."""
