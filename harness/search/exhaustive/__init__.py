"""Every order that a program has, each class of equal ones once."""
