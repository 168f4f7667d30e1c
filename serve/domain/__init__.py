"""The values that all of serve speaks of: networks, ids, addresses, orders, records."""
