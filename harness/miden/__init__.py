"""All that knows Miden and serve: the adapter, and the node, simulated or in a container."""
