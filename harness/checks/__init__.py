"""The claims that a scenario can make: one check a file, named as the check is."""
