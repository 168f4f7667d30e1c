"""The search for a bad order: choices, strategies, shrinking, replay."""
