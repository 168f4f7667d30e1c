"""SQLite off the loop: one file for all desks, one for each user and network."""
