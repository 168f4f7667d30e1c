"""The values that all of serve works with: networks, ids, addresses, orders, records."""
