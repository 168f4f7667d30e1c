"""Who waits for whom, who holds what, what leaks and what blocks: seen in a running program."""
