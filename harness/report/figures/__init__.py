"""The drawings and tables of a report, each computed from results alone."""
