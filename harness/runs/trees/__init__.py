"""Two trees of one project, run beside each other: what each is, and what a run in it costs."""
