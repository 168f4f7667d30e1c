"""One blockchain client for each user and network: the seam, leases, deadlines."""
