"""What each step reads and writes, as seen by a profiler and told by bytecode."""
