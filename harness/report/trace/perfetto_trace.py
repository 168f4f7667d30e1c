"""A run as a Perfetto trace: what it did, and its schedule, as tracks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from harness.history.ends import against_expected
from harness.report.text.schedule_text import step_kind
from harness.report.trace.track_events import TrackEvents
from harness.results.whole_file import write_whole
from harness.results.wording import clock_word, key_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.history.records import Command, ErrorRecord, History, LockHold, LockWait, Operation
    from harness.results.schedule import Schedule, ScheduleStep

__all__ = ["perfetto_trace", "write_perfetto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A slice that has no track yet, from ``begin_ns`` to ``end_ns``, or without end."""

    begin_ns: int
    end_ns: int | None
    name: str
    notes: Mapping[str, str | None]


def write_perfetto(path: Path, history: History | None, schedule: Schedule | None = None) -> None:
    """Write a trace for https://ui.perfetto.dev, wholly or not at all.

    Raises:
        BadInput: The file cannot be written.
    """
    write_whole({path: perfetto_trace(history, schedule)})


def perfetto_trace(history: History | None, schedule: Schedule | None = None) -> bytes:
    """Return a run as a Perfetto trace.

    A history gives a group for each user with operations and commands of clients, two tracks for
    each lock (holds and waits), faults as instants, and the operations in flight as a counter. What
    never ended has no end. A schedule gives a track for each lane; a step lasts until its lane's
    next step. Steps at the same virtual moment are one nanosecond apart, so that their order shows;
    arrows lead from a step to the steps it woke, and deviations are instants.
    """
    events = TrackEvents()
    if schedule is not None:
        _draw_schedule(events, schedule)
    if history is not None:
        _draw_history(events, history)
    return events.encoded()


def _draw_schedule(events: TrackEvents, schedule: Schedule) -> None:
    group = events.track("schedule (simulated)")
    deviations = events.track("deviations from the default order", parent=group)
    tracks = {lane: events.track(lane, parent=group) for lane in schedule.lanes}
    starts, ends = _flows(schedule.steps)
    moments = _moments(schedule.steps)
    lasting: dict[str, None] = {}
    for step, at_ns in zip(schedule.steps, moments, strict=True):
        track = tracks[step.lane]
        if step.lane in lasting:
            events.end(track, at_ns)
        events.begin(
            track,
            at_ns,
            step.does,
            category="schedule",
            notes=_step_notes(step),
            starts=starts.get(step.index, ()),
            ends=ends.get(step.index, ()),
        )
        lasting[step.lane] = None
        if step_kind(step) != "ran":
            events.end(track, at_ns + 1)
            del lasting[step.lane]
        if step.deviation is not None:
            notes = {"lane": step.lane, "step": str(step.index)}
            events.instant(deviations, at_ns, step.deviation, category="deviation", notes=notes)
    for lane in lasting:
        if lane not in schedule.cycle:  # the lanes of the cycle wait for ever
            events.end(tracks[lane], moments[-1] + 1)


def _flows(steps: Sequence[ScheduleStep]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Number the wake-ups, and map steps to those that they start and those that they end."""
    known: set[int] = set()
    starts: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for flow, step in enumerate(steps, start=1):
        if step.woken_by in known:
            starts.setdefault(step.woken_by, []).append(flow)
            ends[step.index] = [flow]
        known.add(step.index)
    return starts, ends


def _moments(steps: Sequence[ScheduleStep]) -> list[int]:
    moments: list[int] = []
    for step in steps:
        at_ns = _ns(step.at_s)
        moments.append(max(at_ns, moments[-1] + 1) if moments else at_ns)
    return moments


def _step_notes(step: ScheduleStep) -> dict[str, str | None]:
    return {
        "step": str(step.index),
        "place": step.place,
        "source": step.source,
        "deviation": step.deviation,
    }


def _draw_history(events: TrackEvents, history: History) -> None:
    clock = clock_word(history.node)
    users = dict.fromkeys(_user(one) for one in history.operations)
    users |= dict.fromkeys(_owner(one) for one in history.commands)
    for user in users:
        group = events.track(f"{user} ({clock})")
        operations = [_operation(one) for one in history.operations if _user(one) == user]
        commands = [_command(one) for one in history.commands if _owner(one) == user]
        _draw(events, group, "operations", operations)
        _draw(events, group, "commands", commands)
    if history.lock_holds or history.lock_waits:
        _draw_locks(events, events.track(f"locks ({clock})"), history)
    if history.faults:
        track = events.track(f"faults ({clock})")
        for one in sorted(history.faults, key=lambda fault: fault.at_s):
            notes = {"key": key_words(one.key)}
            name = f"{one.kind} at {one.point}"
            events.instant(track, _ns(one.at_s), name, category="fault", notes=notes)
    if history.operations:
        _count(events, f"operations in flight ({clock})", history.operations)
    if history.lock_waits:
        _count(events, f"tasks waiting for a lock ({clock})", history.lock_waits)


def _draw_locks(events: TrackEvents, group: int, history: History) -> None:
    locks = dict.fromkeys((one.lock, one.number) for one in history.lock_holds)
    locks |= dict.fromkeys((one.lock, one.number) for one in history.lock_waits)
    for lock, number in locks:
        name = f"{lock} no. {number}" if number else lock
        track = events.track(name, parent=group)
        holds = [one for one in history.lock_holds if (one.lock, one.number) == (lock, number)]
        waits = [one for one in history.lock_waits if (one.lock, one.number) == (lock, number)]
        _draw(events, track, "held", [_hold(one) for one in holds])
        _draw(events, track, "waited for", [_wait(one) for one in waits])


def _draw(events: TrackEvents, parent: int, name: str, pieces: Sequence[_Piece]) -> None:
    """Draw pieces on as few tracks of the same name as keep them apart; Perfetto joins these."""
    free_from: list[tuple[float, int]] = []
    for piece in sorted(pieces, key=lambda one: one.begin_ns):
        row = next((at for at, (end, _) in enumerate(free_from) if end <= piece.begin_ns), None)
        if row is None:
            row = len(free_from)
            free_from.append((0.0, events.track(name, parent=parent)))
        track = free_from[row][1]
        end_ns = inf if piece.end_ns is None else piece.end_ns
        free_from[row] = (end_ns, track)
        events.begin(track, piece.begin_ns, piece.name, category=name, notes=piece.notes)
        if piece.end_ns is not None:
            events.end(track, piece.end_ns)


def _count(
    events: TrackEvents, name: str, lasting: Sequence[Operation] | Sequence[LockWait]
) -> None:
    """Count how many last at once: a value for each moment at which the number changes."""
    changes: Counter[int] = Counter()
    for one in lasting:
        changes[_ns(one.begin_s)] += 1
        if one.end_s is not None:
            changes[_ns(one.end_s)] -= 1
    track = events.track(name, counter=True)
    number = 0
    for at_ns in sorted(changes):
        number += changes[at_ns]
        events.count(track, at_ns, number)


def _operation(one: Operation) -> _Piece:
    notes = {
        "number": str(one.number),
        "phase": one.phase,
        "task": one.task,
        "outcome": f"{one.outcome}{against_expected(one)}",
        "error": _error(one.error),
    }
    return _piece(one.begin_s, one.end_s, one.call, notes)


def _command(one: Command) -> _Piece:
    notes = {
        "client": str(one.client),
        "task": one.task,
        "outcome": one.outcome.value,
        "error": _error(one.error),
    }
    return _piece(one.begin_s, one.end_s, one.name, notes)


def _hold(one: LockHold) -> _Piece:
    notes = {"taken at": one.where, "held across": one.held_await or one.across}
    return _piece(one.begin_s, one.end_s, one.task, notes)


def _wait(one: LockWait) -> _Piece:
    return _piece(one.begin_s, one.end_s, one.task, {"at": one.where})


def _piece(
    begin_s: float, end_s: float | None, name: str, notes: Mapping[str, str | None]
) -> _Piece:
    end_ns = None if end_s is None else max(_ns(end_s), _ns(begin_s))
    return _Piece(begin_ns=_ns(begin_s), end_ns=end_ns, name=name, notes=notes)


def _user(one: Operation) -> str:
    return one.user or "no user"


def _owner(one: Command) -> str:
    return one.key.get("user") or key_words(one.key)


def _error(error: ErrorRecord | None) -> str | None:
    return None if error is None else f"{error.type}: {error.message}"


def _ns(at_s: float) -> int:
    return max(round(at_s * 1e9), 0)
