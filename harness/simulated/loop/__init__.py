"""The virtual event loop: callbacks and timers in asyncio's order, on SimPy's clock."""
