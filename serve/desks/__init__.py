"""Which desks there are, restored from their table."""
