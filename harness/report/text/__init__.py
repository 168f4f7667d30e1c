"""The words that several output formats share."""
