"""Drafts of scenario files: a class is read for what it can do, tried, and written of."""
