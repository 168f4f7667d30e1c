"""The JSON Schemas of what runs and searches write."""
