"""What keeps a simulated run deterministic, and ends one that never ends by itself."""
