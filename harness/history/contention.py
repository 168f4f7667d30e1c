"""The contention profile: for each lock how long it was held, who waited, and across which await.

A lock's share of a lost speed-up is the time in which somebody waited for it while another held it,
divided by the time lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from harness.history.records import Pacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.history.records import History, LockHold, LockWait, Measurement

    Span = tuple[float, float]

__all__ = ["Contention", "Loss", "contention", "culprit", "loss"]

# Below this share of the loss a lock is no explanation.
SHARE_MIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Contention:
    """A lock in a stretch of a run; all times in seconds of the run's clock.

    ``held_s`` is the time in which somebody held it, ``blocked_s`` the time in which somebody
    waited while another held it, and ``waited_s`` the sum of all waits. ``held_await`` is the await
    across which it was held longest.
    """

    lock: str
    number: int
    kind: str
    permits: int
    hold_count: int
    held_s: float
    wait_count: int
    waited_s: float
    blocked_s: float
    waiters: tuple[str, ...]
    held_await: str | None
    taken_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """How far a phase run together falls behind the ideal: the sequential time over n."""

    sequential_s: float
    together_s: float
    ideal_s: float
    begin_s: float

    @property
    def lost_s(self) -> float:
        """The seconds beyond the ideal."""
        return max(self.together_s - self.ideal_s, 0.0)


def contention(history: History, *, within: Span | None = None) -> tuple[Contention, ...]:
    """Profile every lock that was held; the lock that blocked others longest comes first.

    ``within`` limits holds and waits to a stretch of the run: begin and end, in seconds.
    """
    begin_s, end_s = (0.0, history.end_s) if within is None else within
    holds: dict[tuple[str, int], list[tuple[Span, LockHold]]] = {}
    waits: dict[tuple[str, int], list[tuple[Span, LockWait]]] = {}
    for hold in history.lock_holds:
        span = _cut(hold, begin_s, end_s)
        if span is not None:
            holds.setdefault((hold.lock, hold.number), []).append((span, hold))
    for wait in history.lock_waits:
        span = _cut(wait, begin_s, end_s)
        if span is not None:
            waits.setdefault((wait.lock, wait.number), []).append((span, wait))
    found = [_profile(some, waits.get(key, [])) for key, some in holds.items()]
    return tuple(sorted(found, key=lambda one: (-one.blocked_s, -one.held_s, one.lock, one.number)))


def loss(measurements: Sequence[Measurement]) -> Loss | None:
    """Compare the last pair of timings of a phase; None where they cannot be compared."""
    together = [one for one in measurements if one.pacing is Pacing.TOGETHER]
    sequential = [one for one in measurements if one.pacing is Pacing.SEQUENTIAL]
    if not together or not sequential or together[-1].begin_s is None:
        return None
    count = together[-1].succeeded
    if count < 1:
        return None
    return Loss(
        sequential_s=sequential[-1].duration_s,
        together_s=together[-1].duration_s,
        ideal_s=sequential[-1].duration_s / count,
        begin_s=together[-1].begin_s,
    )


def culprit(history: History, measurements: Sequence[Measurement]) -> str | None:
    """Say which lock explains how much of a lost speed-up, and across which await it was held.

    Without such a lock, name the single task that gave all commands, if there was one.
    """
    lost = loss(measurements)
    if lost is None or lost.lost_s <= 0:
        return None
    within = (lost.begin_s, lost.begin_s + lost.together_s)
    for one in contention(history, within=within)[:1]:
        share = min(one.blocked_s / lost.lost_s, 1.0)
        if share >= SHARE_MIN:
            return _sentence(one, lost, share)
    return _lone_worker(history, within=within)


def _sentence(one: Contention, lost: Loss, share: float) -> str:
    across = f", across {one.held_await}" if one.held_await else f", taken at {one.taken_at}"
    what = f"{one.lock} ({one.kind} of {one.permits})" if one.permits > 1 else one.lock
    return (
        f"{what} was held for {one.held_s:.3f} s of {lost.together_s:.3f} s{across};"
        f" it explains {share * 100:.0f} % of the loss ({lost.lost_s:.3f} s over the ideal"
        f" {lost.ideal_s:.3f} s)"
    )


def _lone_worker(history: History, *, within: Span) -> str | None:
    """Name the task that gave all commands, one after another, while others could have."""
    begin_s, end_s = within
    commands = [
        one for one in history.commands if begin_s <= one.begin_s and (one.end_s or 0.0) <= end_s
    ]
    tasks = {one.task for one in commands}
    callers = {one.user for one in history.operations}
    spans = sorted((one.begin_s, one.end_s) for one in commands if one.end_s is not None)
    apart = all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    if len(tasks) != 1 or len(spans) < 2 or not apart or len(callers) < 2:
        return None
    (task,) = tasks
    busy_s = sum(end - begin for begin, end in spans)
    return (
        f"one task, {task}, gave all {len(spans)} commands, one after another, for"
        f" {busy_s:.3f} s of {end_s - begin_s:.3f} s"
    )


def _cut(one: LockHold | LockWait, begin_s: float, end_s: float) -> Span | None:
    begin = max(one.begin_s, begin_s)
    end = min(end_s if one.end_s is None else one.end_s, end_s)
    return (begin, end) if end > begin else None


def _profile(holds: list[tuple[Span, LockHold]], waits: list[tuple[Span, LockWait]]) -> Contention:
    first = holds[0][1]
    awaits: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for (begin, end), hold in holds:
        places[hold.where] += end - begin  # type: ignore[assignment]  # a Counter adds floats, too
        if hold.held_await or hold.across:
            awaits[hold.held_await or hold.across or ""] += end - begin  # type: ignore[assignment]
    held = _union(span for span, _ in holds)
    waited = _union(span for span, _ in waits)
    return Contention(
        lock=first.lock,
        number=first.number,
        kind=first.kind,
        permits=max(hold.permits for _, hold in holds),
        hold_count=len(holds),
        held_s=sum(end - begin for begin, end in held),
        wait_count=len(waits),
        waited_s=sum(end - begin for (begin, end), _ in waits),
        blocked_s=_shared_s(held, waited),
        waiters=tuple(dict.fromkeys(wait.task for _, wait in waits)),
        held_await=awaits.most_common(1)[0][0] if awaits else None,
        taken_at=places.most_common(1)[0][0],
    )


def _union(spans: Iterable[Span]) -> list[Span]:
    """Join spans that touch or overlap."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def _shared_s(one: list[Span], other: list[Span]) -> float:
    """Add up the seconds that lie in both; each is a sorted list of spans that do not touch."""
    shared_s, at, beside = 0.0, 0, 0
    while at < len(one) and beside < len(other):
        begin = max(one[at][0], other[beside][0])
        end = min(one[at][1], other[beside][1])
        shared_s += max(end - begin, 0.0)
        if one[at][1] <= other[beside][1]:
            at += 1
        else:
            beside += 1
    return shared_s
