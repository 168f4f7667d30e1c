"""What may be decided in a run, and by whom: faults, points, policies and seeded randomness."""
