"""One blockchain client for each user and network: their port, leases and deadlines."""
