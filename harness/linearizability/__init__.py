"""Own the public surface of the linearizability checker, which needs nothing but the calls."""

from __future__ import annotations

from harness.linearizability.call import Call
from harness.linearizability.checking import BUDGET, Linearizability, check
from harness.linearizability.model import Model
from harness.linearizability.models import Counter, Map, Register, Set

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
