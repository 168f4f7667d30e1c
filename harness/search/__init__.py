"""The search for the order of events that breaks a program: one run after another."""
