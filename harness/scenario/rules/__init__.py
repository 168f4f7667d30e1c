"""The rules for a scenario as a whole: names, steps, order and claims."""
