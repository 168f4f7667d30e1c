"""Histories made by hand, and checks asked by name as a scenario asks them."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from harness.checks.registry import CHECKS
from harness.history.records import (
    ClientRecord,
    Command,
    ErrorRecord,
    History,
    MachineRecord,
    Measurement,
    NodeKind,
    Operation,
    Outcome,
    Pacing,
)

RETURNED, RAISED, CANCELLED, UNFINISHED = (
    Outcome.RETURNED,
    Outcome.RAISED,
    Outcome.CANCELLED,
    Outcome.UNFINISHED,
)


class Maker:
    """Makes the entries of a history, numbered as they come."""

    def __init__(self):
        self._numbers = count()

    def op(self, step="make", begin_s=0.0, end_s=1.0, **others):
        """Make an operation; ``raised`` is the class of the error that it ended with."""
        raised = others.pop("raised", None)
        number = next(self._numbers)
        error = ErrorRecord(type=raised, message="no") if raised else None
        outcome = RAISED if raised else UNFINISHED if end_s is None else RETURNED
        fields: dict[str, Any] = {
            "number": number,
            "call": step,
            "user": "alice",
            "phase": "one",
            "task": f"t{number}",
            "outcome": outcome,
            "error": error,
        }
        return Operation(step=step, begin_s=begin_s, end_s=end_s, **(fields | others))

    def spawn(self, user="alice", begin_s=0.0, ready_s=1.0, **others):
        """Make a spawn; without ``ready_s`` it failed."""
        number = next(self._numbers)
        fields: dict[str, Any] = {
            "number": number,
            "key": {"user": user, "network": "Localnet"},
            "task": f"t{number}",
            "exit_s": None,
            "outcome": RETURNED if ready_s is not None else RAISED,
        }
        return ClientRecord(begin_s=begin_s, ready_s=ready_s, **(fields | others))

    def command(self, user="alice", begin_s=0.0, end_s=1.0, name="sync", **others):
        """Make a command of a user's client."""
        fields: dict[str, Any] = {
            "client": 0,
            "key": {"user": user, "network": "Localnet"},
            "task": f"t{next(self._numbers)}",
            "outcome": RETURNED if end_s is not None else UNFINISHED,
        }
        return Command(name=name, begin_s=begin_s, end_s=end_s, **(fields | others))

    def timing(self, pacing, duration_s, **others):
        """Make a timing of the phase "one"."""
        fields: dict[str, Any] = {"phase": "one", "round": 0, "succeeded": 2, "failed": 0}
        pace = Pacing.TOGETHER if pacing == "together" else Pacing.SEQUENTIAL
        return Measurement(pacing=pace, duration_s=duration_s, **(fields | others))

    def machine(self, number, **others):
        """Make the record of how the machine was in a round of timings of the phase "one"."""
        fields: dict[str, Any] = {
            "foreign_cores": 0.0, "foreign_cores_max": 0.15, "own_cores": 0.8, "room": 2.0
        }  # fmt: skip
        return MachineRecord(phase="one", round=number, **(fields | others))

    def history(self, *entries, node=NodeKind.SIMULATED, end_s=100.0, **others):
        """Sort entries into a history."""
        kinds = {
            "operations": Operation,
            "clients": ClientRecord,
            "commands": Command,
            "measurements": Measurement,
            "machine": MachineRecord,
        }
        sorted_in: dict[str, Any] = {
            name: tuple(one for one in entries if isinstance(one, kind))
            for name, kind in kinds.items()
        }
        return History(node=node, end_s=end_s, **sorted_in, **others)


@pytest.fixture
def make():
    return Maker()


@pytest.fixture
def judge(make):
    """Ask a check by name: ``judge("latency", entries, of="make", max_ms=5)``."""

    def ask(name, entries=(), /, *, history=None, **parameters):
        check = CHECKS[name]
        given = history if history is not None else make.history(*entries)
        return check.check(given, check.parameters.model_validate(parameters))

    return ask
