"""SQLite files, worked on off the loop: one for all desks, one for each user and network."""
