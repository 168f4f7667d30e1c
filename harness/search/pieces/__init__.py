"""A search cut into pieces of work, and who carries them out: processes or a cluster."""
