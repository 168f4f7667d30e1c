"""Scenario files: TOML in, a checked scenario or all of its mistakes out."""
