"""Cancellation as a choice of a search: where tasks can be cancelled, and what comes of it."""
