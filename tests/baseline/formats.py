"""The words that are formats: inputs of digests, of draws and of tapes, listed in one place.

Whoever changes one of them changes the digest of every run, the draws of every seed, or what a
token means. ``test_formats.py`` reads the sources and compares.
"""

from __future__ import annotations

__all__ = ["NOTES", "POINTS_REACHED", "STREAMS"]

# The first word of each line that a run notes in its trace, with the count of its places.
NOTES = ("begin", "command", "end", "ended", "exit", "fault", "measured", "spawn", "spawned")

# The names of random streams, a field in braces where a name is put in.
STREAMS = ("client {}", "executor", "os.urandom", "random.Random()")

# The points at which the harness's own wrappers arrive; those of serve are serve's POINTS.
POINTS_REACHED = ("spawn.after", "spawn.before", "{}.after", "{}.before")
