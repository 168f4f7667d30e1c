"""The list of all entries of the zoo."""

from __future__ import annotations

from tests.sensitivity.zoo import cancellations, clients, deadlocks, rare, rows, signals

__all__ = ["RAREST", "ZOO"]

ZOO = {
    entry.name: entry
    for module in (deadlocks, signals, cancellations, clients, rows, rare)
    for entry in module.ENTRIES
}

# No uniform random search finds it within 1,000 runs.
RAREST = rare.RAREST
