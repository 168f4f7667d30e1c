"""The harness that asyncio services are proven on, simulated and live."""
