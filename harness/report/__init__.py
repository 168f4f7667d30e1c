"""Own the reports: one module an output format, and the figures they share."""
