"""Own the claim that callers of one key share one spawn, and that no two clients overlap."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.history import Outcome

if TYPE_CHECKING:
    from harness.history import Actor, History
    from harness.verdict import CheckResult

__all__ = ["SingleSpawn", "single_spawn"]


class SingleSpawn(Parameters):
    """For each key: exactly ``exactly`` spawns, and never two clients alive at once."""

    per: list[str] = Field(
        default=["user", "network"], min_length=1, description="what makes a key"
    )
    only: dict[str, str] = Field(
        default_factory=dict, description="only for keys with these values, such as a user"
    )
    exactly: int | None = Field(default=1, ge=1, description="spawns of each key in the whole run")
    overlap: bool = Field(default=False, description="allow two clients of a key at once")


def single_spawn(history: History, parameters: SingleSpawn) -> CheckResult:
    """Count the spawns of each key, and look for two whose lives overlap."""
    expected = (
        f"{parameters.exactly} spawn{'s' * (parameters.exactly != 1)} for each"
        if parameters.exactly
        else "never two clients at once for one"
    ) + f" ({', '.join(parameters.per)})"
    chosen = [one for one in history.actors if parameters.only.items() <= one.key.items()]
    if not chosen:
        return nothing_to_judge("single_spawn", expected=expected, seen="no spawn at all")
    by_key: dict[tuple[str, ...], list[Actor]] = defaultdict(list)
    for actor in chosen:
        by_key[tuple(actor.key.get(part, "-") for part in parameters.per)].append(actor)
    findings = []
    for key, actors in by_key.items():
        if parameters.exactly is not None and len(actors) != parameters.exactly:
            findings.append(f"{len(actors)} spawns for ({', '.join(key)}): {_told(actors)}")
        if not parameters.overlap:
            findings += [
                f"two clients at once for ({', '.join(key)}): {_told(pair)}"
                for pair in _overlapping(actors)
            ]
    return judged(
        "single_spawn",
        not findings,
        expected=expected,
        seen=findings[0] if findings else f"{len(chosen)} over {len(by_key)} keys",
        involved=findings,
    )


def _overlapping(actors: list[Actor]) -> list[tuple[Actor, Actor]]:
    in_order = sorted(actors, key=lambda one: (one.begin_s, one.number))
    return [(one, after) for one, after in pairwise(in_order) if after.begin_s < _gone_s(one)]


def _gone_s(actor: Actor) -> float:
    if actor.exit_s is not None:
        return actor.exit_s
    # A spawn that failed never had a client; one that never exited lives to the end.
    return actor.begin_s if actor.outcome is Outcome.RAISED else float("inf")


def _told(actors: list[Actor] | tuple[Actor, ...]) -> str:
    return ", ".join(f"client {one.number} at {one.begin_s:.3f} s by {one.task}" for one in actors)
