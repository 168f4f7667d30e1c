"""A checker for linearizable histories, which needs nothing but the calls."""

from __future__ import annotations

from harness.consistency.call import Call
from harness.consistency.checking import BUDGET, Linearizability, check
from harness.consistency.model import Model
from harness.consistency.standard_models import Counter, Map, Register, Set

__all__ = [
    "BUDGET",
    "Call",
    "Counter",
    "Linearizability",
    "Map",
    "Model",
    "Register",
    "Set",
    "check",
]
