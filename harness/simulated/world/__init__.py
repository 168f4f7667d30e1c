"""What a simulated service talks to: latencies drawn from a profile."""
