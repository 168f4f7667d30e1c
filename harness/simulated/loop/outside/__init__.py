"""What comes to the loop from outside asyncio: drawn latencies, executors, their order."""
