"""The check that callers of a key share a single spawn, and that no two clients overlap."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import PHASE, Parameters
from harness.history.records import Outcome

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import ClientRecord, History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SingleSpawn", "single_spawn", "under_faults"]


class SingleSpawn(Parameters):
    """For each key: exactly ``exactly`` spawns, and never two clients alive at once.

    With ``exits`` also exactly so many clients that ended within the phase ``exits_in``.
    """

    per: list[str] = Field(
        default=["user", "network"], min_length=1, description="what makes a key"
    )
    only: dict[str, str] = Field(
        default_factory=dict, description="only for keys with these values, such as a user"
    )
    exactly: int | Literal["any"] = Field(
        default=1, description='spawns of each key in the whole run, 1 or more, or "any"'
    )
    overlap: bool = Field(default=False, description="allow two clients of a key at once")
    exits: int | None = Field(
        default=None, ge=0, description="how many clients of each key end in the phase exits_in"
    )
    exits_in: str | None = Field(
        default=None, description="the phase in which they end", json_schema_extra=PHASE
    )

    @field_validator("exactly")
    @classmethod
    def _at_least_one(cls, exactly: int | str) -> int | str:
        if isinstance(exactly, int) and exactly < 1:
            raise ValueError("must be at least 1")
        return exactly

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.exactly == "any" and self.overlap:
            raise ValueError(
                'exactly = "any" with overlap = true allows everything; give one of them'
            )
        if (self.exits is None) != (self.exits_in is None):
            raise ValueError("exits and exits_in go together: how many clients end, in which phase")
        return self


def single_spawn(history: History, parameters: SingleSpawn) -> CheckResult:
    """Count the spawns of each key, and look for two whose lives overlap.

    UNKNOWN where a key never had a client, or the keys do not have the parts ``per``.
    """
    expected = _expected(parameters)
    chosen = [one for one in history.clients if parameters.only.items() <= one.key.items()]
    if not chosen:
        return nothing_to_judge("single_spawn", expected=expected, seen="no spawn at all")
    parts = sorted({part for one in chosen for part in parameters.per if part not in one.key})
    if parts:
        known = ", ".join(sorted({part for one in chosen for part in one.key}))
        return nothing_to_judge(
            "single_spawn",
            expected=expected,
            seen=f"spawns without {', '.join(parts)}; has {known}",
        )
    by_key: dict[tuple[str, ...], list[ClientRecord]] = defaultdict(list)
    for client in chosen:
        by_key[tuple(client.key[part] for part in parameters.per)].append(client)
    findings = [
        finding
        for key, clients in by_key.items()
        for finding in (
            *_findings(key, clients, parameters, asked=history.spawns_asked),
            *_exits(key, clients, parameters, history),
        )
    ]
    vain = [
        f"no spawn for ({', '.join(key)}) succeeded: {_described(clients)}"
        for key, clients in by_key.items()
        if not any(one.outcome is Outcome.RETURNED for one in clients)
    ]
    if vain and not findings:
        return nothing_to_judge("single_spawn", expected=expected, seen=vain[0], involved=vain)
    return judged(
        "single_spawn",
        not findings,
        expected=expected,
        seen=findings[0] if findings else f"{len(chosen)} over {len(by_key)} keys",
        involved=findings,
    )


def _expected(parameters: SingleSpawn) -> str:
    number = parameters.exactly
    claim = (
        "never two clients at once for one"
        if number == "any"
        else f"{number} spawn{'s' * (number != 1)} for each"
    )
    only = ", ".join(f"{part} {value}" for part, value in parameters.only.items())
    exits = (
        "" if parameters.exits is None else f", {parameters.exits} ended in {parameters.exits_in}"
    )
    return f"{claim} ({', '.join(parameters.per)})" + (f" of {only}" if only else "") + exits


def _findings(
    key: tuple[str, ...], clients: list[ClientRecord], parameters: SingleSpawn, *, asked: int | None
) -> list[str]:
    findings = []
    counted = [one for one in clients if asked is None or one.number < asked]
    # Keys that only the probe spawned do not count.
    if counted and parameters.exactly not in ("any", len(counted)):
        spawns = f"{len(counted)} spawn{'s' * (len(counted) != 1)}"
        findings.append(f"{spawns} for ({', '.join(key)}): {_described(counted)}")
    if not parameters.overlap:
        findings += [
            f"two clients at once for ({', '.join(key)}): {_described(pair)}"
            for pair in _overlapping(clients)
        ]
    return findings


def _exits(
    key: tuple[str, ...], clients: list[ClientRecord], parameters: SingleSpawn, history: History
) -> list[str]:
    """Find another number of clients that ended within the phase ``exits_in``."""
    phase = [one for one in history.operations if one.phase == parameters.exits_in]
    if parameters.exits is None or not phase:
        return []
    begin_s = min(one.begin_s for one in phase)
    end_s = max(history.end_s if one.end_s is None else one.end_s for one in phase)
    ended = [
        one
        for one in clients
        if one.outcome is Outcome.RETURNED
        and one.exit_s is not None
        and begin_s <= one.exit_s <= end_s
    ]
    if len(ended) == parameters.exits:
        return []
    clients_word = f"{len(ended)} client{'s' * (len(ended) != 1)}"
    told = f": {_described(ended)}" if ended else ""
    return [f"{clients_word} of ({', '.join(key)}) ended in {parameters.exits_in}{told}"]


def _overlapping(clients: list[ClientRecord]) -> list[tuple[ClientRecord, ClientRecord]]:
    in_order = sorted(clients, key=lambda one: (one.begin_s, one.number))
    return [(one, after) for one, after in pairwise(in_order) if after.begin_s < _gone_s(one)]


def _gone_s(client: ClientRecord) -> float:
    if client.exit_s is not None:
        return client.exit_s
    # A failed spawn never had a client; a client that never exited lives to the end.
    return client.begin_s if client.outcome is Outcome.RAISED else float("inf")


def _described(clients: list[ClientRecord] | tuple[ClientRecord, ...]) -> str:
    return ", ".join(f"client {one.number} at {one.begin_s:.3f} s by {one.task}" for one in clients)


def under_faults(parameters: SingleSpawn, _within_s: float) -> SingleSpawn | None:
    """Allow any number of spawns, since a dead client is replaced, but never two at once."""
    if parameters.overlap:
        return None
    return parameters.model_copy(update={"exactly": "any", "exits": None, "exits_in": None})


KIND = CheckKind(
    name="single_spawn", parameters=SingleSpawn, check=single_spawn, under_faults=under_faults
)
