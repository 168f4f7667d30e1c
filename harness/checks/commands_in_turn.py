"""The check that a client carries out its commands one at a time, in the order of their arrival."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.history.records import Command, History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "CommandsInTurn", "commands_in_turn", "under_faults"]


class CommandsInTurn(Parameters):
    """No two commands of a key are carried out at once, and none before one that came earlier.

    The client itself says how long each waited in its queue and worked. Of a command that was held
    on its way there or back it is not known when exactly that was: then only what is certain
    counts.
    """

    per: list[str] = Field(
        default=["user", "network"], min_length=1, description="what makes a key"
    )
    only: dict[str, str] = Field(
        default_factory=dict, description="only for keys with these values, such as a user"
    )
    waited_at_least: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="how many commands of each key must have waited for their turn: of fewer the"
        " check can say nothing",
    )
    tolerance_ms: float = Field(
        default=1.0, gt=0, le=86_400_000, description="a lead or an overlap that does not count"
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A command whose client told its times: what is known of its arrival and of its turn.

    It was given at ``begin_s`` at the earliest, and answered at ``end_s`` at the latest.
    """

    command: Command
    begin_s: float
    end_s: float
    queued_s: float
    service_s: float

    @property
    def latest_arrival_s(self) -> float:
        return self.end_s - self.service_s - self.queued_s

    @property
    def earliest_start_s(self) -> float:
        return self.begin_s + self.queued_s

    @property
    def latest_start_s(self) -> float:
        return self.end_s - self.service_s

    @property
    def earliest_end_s(self) -> float:
        return self.earliest_start_s + self.service_s


def commands_in_turn(history: History, parameters: CommandsInTurn) -> CheckResult:
    """Fail on two commands of a key that surely overlap, or that change places.

    UNKNOWN where too few commands of a key waited for their turn, or clients told no times.
    """
    expected = f"commands of each ({', '.join(parameters.per)}) one at a time, as they came"
    by_key: dict[tuple[str, ...], list[_Turn]] = defaultdict(list)
    for command in history.commands:
        if parameters.only.items() <= command.key.items():
            by_key[tuple(command.key.get(part, "-") for part in parameters.per)] += _turns(command)
    tolerance_s = parameters.tolerance_ms / 1e3
    waited = {key: sum(_waited(one, tolerance_s) for one in mine) for key, mine in by_key.items()}
    findings = [
        f"({', '.join(key)}): {finding}"
        for key, mine in by_key.items()
        for finding in (*_overlaps(mine, tolerance_s), *_changes(mine, tolerance_s))
    ]
    idle = [
        f"{count} of ({', '.join(key)}) waited for their turn"
        for key, count in waited.items()
        if count < parameters.waited_at_least
    ]
    if not findings and (idle or not by_key) and parameters.waited_at_least:
        return nothing_to_judge(
            "commands_in_turn",
            expected=expected,
            seen=idle[0] if idle else "no command at all",
            involved=idle,
        )
    told = sum(map(len, by_key.values()))
    return judged(
        "commands_in_turn",
        not findings,
        expected=expected,
        seen=findings[0] if findings else f"{told} in turn, {sum(waited.values())} had waited",
        involved=findings,
    )


def _turns(command: Command) -> Iterable[_Turn]:
    times, end_s = command.times, command.end_s
    if times is None or times.queued_s is None or times.service_s is None or end_s is None:
        return
    yield _Turn(command, command.begin_s, end_s, times.queued_s, times.service_s)


def _waited(turn: _Turn, tolerance_s: float) -> bool:
    return turn.queued_s > tolerance_s


def _overlaps(turns: list[_Turn], tolerance_s: float) -> Iterable[str]:
    """Find commands whose certain times of work meet: from the latest start to the earliest end."""
    certain = sorted(
        (one for one in turns if one.latest_start_s < one.earliest_end_s),
        key=lambda one: one.latest_start_s,
    )
    for one, after in pairwise(certain):
        if after.latest_start_s + tolerance_s < one.earliest_end_s:
            yield f"{_named(one)} was not done when {_named(after)} was"


def _changes(turns: list[_Turn], tolerance_s: float) -> Iterable[str]:
    """Find commands that surely came later than another, and surely began before it."""
    came = iter(sorted(turns, key=lambda one: one.latest_arrival_s))
    earlier = next(came, None)
    last: _Turn | None = None
    for one in sorted(turns, key=lambda one: one.begin_s):
        while earlier is not None and earlier.latest_arrival_s + tolerance_s < one.begin_s:
            if last is None or earlier.earliest_start_s > last.earliest_start_s:
                last = earlier
            earlier = next(came, None)
        if last is not None and one.latest_start_s + tolerance_s < last.earliest_start_s:
            yield f"{_named(one)} went before {_named(last)}"


def _named(turn: _Turn) -> str:
    one = turn.command
    return f"{one.name} of {turn.begin_s:.3f} s (client {one.client}, {one.task})"


def under_faults(parameters: CommandsInTurn, _within_s: float) -> CommandsInTurn:
    """Ask for no waiting where faults may have kept commands away; turns are kept all the same."""
    return parameters.model_copy(update={"waited_at_least": 0})


KIND = CheckKind(
    name="commands_in_turn",
    parameters=CommandsInTurn,
    check=commands_in_turn,
    under_faults=under_faults,
    with_less_work=True,
)
