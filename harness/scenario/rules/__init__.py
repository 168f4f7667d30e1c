"""The rules that a scenario as a whole must keep: names, steps, order, claims."""
