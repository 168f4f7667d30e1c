"""What bytecode reads and writes, by names: read from code, never run."""
