"""What can be searched: a scenario, or a program of one coroutine function."""
