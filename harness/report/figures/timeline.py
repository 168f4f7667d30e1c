"""The timeline of a run: which bar stands in which lane, where, and what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.history.ends import against_expected, raised_as_expected
from harness.history.records import Outcome
from harness.report.figures.axis import seconds_axis
from harness.results.wording import count, key_words, one_line, printable, seconds, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.history.records import (
        ClientRecord,
        Command,
        ErrorRecord,
        History,
        LockHold,
        Operation,
    )
    from harness.report.figures.axis import Axis

__all__ = ["OPERATIONS_MAX", "Bar", "Lane", "Mark", "Timeline", "shown_operations", "timeline_of"]

OPERATIONS_MAX = 400
_CLIENTS_MAX = 400
_COMMANDS_MAX = 1_200
_HOLDS_MAX = 400
_FAULTS_MAX = 100

_HEAD, _GAP = 20, 8  # pixels: a lane's name, and the space under a lane
_OPERATION_ROW, _OPERATION = 19, 14  # pixels: a row, and the bar in it
_ACTOR_ROW, _ACTOR = 11, 6
_INSTANT = 0.35  # percent: a narrower bar is drawn as a diamond
_DIAMOND = 0.1  # percent that each pixel of a diamond's height takes on a 620 px wide plot
_LETTER = 1.05  # percent that a letter takes there
_NO_USER = "no user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that took time. ``x`` and ``width`` are percent, ``y`` and ``height`` pixels.

    ``kind`` is operation, parked, spawn, alive, command or lock; ``shape`` is the outcome, or
    "expected" for an error that the step expects. ``label_side`` is inside, right or none.
    """

    kind: str
    shape: str
    x: float
    width: float
    y: int
    height: int
    title: str
    label: str = ""
    label_side: str = "none"

    @property
    def instant(self) -> bool:
        """True if it is too narrow to be seen as a bar."""
        return self.width < _INSTANT and self.kind not in {"alive", "parked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment, ``x`` percent from the left: a fault, or the deadlock."""

    kind: str
    x: float
    label: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A lane, ``y`` and ``height`` in pixels: one user's operations and clients, or the locks."""

    label: str
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A run's timeline. ``left_out`` says in words what the caps kept from being drawn."""

    axis: Axis
    height: int
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    left_out: tuple[str, ...]


def shown_operations(history: History) -> tuple[Operation, ...]:
    """Choose the operations to show: those that did not return first, then the earliest."""
    if len(history.operations) <= OPERATIONS_MAX:
        return history.operations
    ordered = sorted(history.operations, key=lambda one: (one.succeeded, one.number))
    return tuple(sorted(ordered[:OPERATIONS_MAX], key=lambda one: one.number))


def timeline_of(history: History) -> Timeline:
    """Lay out a run: a lane for each user, operations above their clients' work, then the locks."""
    operations = shown_operations(history)
    clients = history.clients[:_CLIENTS_MAX]
    commands = history.commands[:_COMMANDS_MAX]
    holds = history.lock_holds[:_HOLDS_MAX]
    sheet = _Sheet(_end_s(history))
    users = dict.fromkeys(_user(one) for one in operations)
    users |= dict.fromkeys(_owner(one.key) for one in clients)
    users |= dict.fromkeys(_owner(one.key) for one in commands)
    for user in users:
        sheet.open_lane(user)
        _draw_operations(sheet, [one for one in operations if _user(one) == user])
        _draw_clients(
            sheet,
            [one for one in clients if _owner(one.key) == user],
            [one for one in commands if _owner(one.key) == user],
        )
        sheet.close_lane()
    for lock in dict.fromkeys(hold.lock for hold in holds):
        sheet.open_lane(f"lock {lock}")
        sheet.stack([_hold(hold) for hold in holds if hold.lock == lock], _ACTOR_ROW, _ACTOR)
        sheet.close_lane()
    return Timeline(
        axis=sheet.axis,
        height=sheet.y,
        lanes=tuple(sheet.lanes),
        bars=tuple(sheet.bars),
        marks=_marks(history, sheet.axis),
        left_out=tuple(_left_out(history)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A bar before it has its place: from ``begin_s`` to ``end_s`` seconds, or still going on."""

    kind: str
    shape: str
    begin_s: float
    end_s: float | None
    title: str
    label: str = ""


class _Sheet:
    """The lanes and bars laid out so far, from the top to ``y`` pixels."""

    def __init__(self, end_s: float) -> None:
        self.axis = seconds_axis((end_s,))
        self.end_s = end_s
        self.y = 0
        self.lanes: list[Lane] = []
        self.bars: list[Bar] = []

    def open_lane(self, label: str) -> None:
        self.lanes.append(Lane(label=shortened(one_line(label), 80), y=self.y, height=0))
        self.y += _HEAD

    def close_lane(self) -> None:
        self.y += _GAP
        self.lanes[-1] = replace(self.lanes[-1], height=self.y - self.lanes[-1].y)

    def stack(self, pieces: Sequence[_Piece], row: int, height: int) -> list[Bar]:
        """Draw pieces in as few rows as keep them apart, each row ``row`` pixels high."""
        rows: list[list[Bar]] = []
        placed = []
        for piece in pieces:
            bar = self.bar(piece, y=0, height=height)
            number = next((at for at, bars in enumerate(rows) if _fits(bar, bars)), len(rows))
            if number == len(rows):
                rows.append([])
            bar = replace(bar, y=self.y + number * row + (row - height) // 2)
            rows[number].append(bar)
            placed.append(bar)
        self.y += len(rows) * row
        self.bars += [_labelled(bar, placed) for bar in placed]
        return placed

    def bar(self, piece: _Piece, *, y: int, height: int) -> Bar:
        begin = self.axis.at(piece.begin_s)
        end = self.axis.at(self.end_s if piece.end_s is None else piece.end_s)
        return Bar(
            kind=piece.kind,
            shape=piece.shape,
            x=begin,
            width=round(max(end - begin, 0.0), 3),
            y=y,
            height=height,
            title=shortened(printable(piece.title), 1_000),
            label=shortened(one_line(piece.label), 60),
        )


def _draw_operations(sheet: _Sheet, operations: Sequence[Operation]) -> None:
    placed = sheet.stack([_operation(one) for one in operations], _OPERATION_ROW, _OPERATION)
    for operation, bar in zip(operations, placed, strict=True):
        for parked_s, released_s in operation.parked:
            title = f"{operation.call} parked for {seconds(released_s - parked_s)}"
            piece = _Piece(
                kind="parked", shape="returned", begin_s=parked_s, end_s=released_s, title=title
            )
            sheet.bars.append(sheet.bar(piece, y=bar.y, height=bar.height))


def _draw_clients(
    sheet: _Sheet, clients: Sequence[ClientRecord], commands: Sequence[Command]
) -> None:
    # Each spawn has separate rows, so that a second client of the same user shows.
    numbers = dict.fromkeys([*(one.number for one in clients), *(one.client for one in commands)])
    for number in numbers:
        spawned = [one for one in clients if one.number == number]
        middle = sheet.y + _ACTOR_ROW // 2
        sheet.bars += [
            sheet.bar(_alive(one), y=middle, height=1) for one in spawned if one.ready_s is not None
        ]
        pieces = [_spawn(one) for one in spawned]
        pieces += [_command(one) for one in commands if one.client == number]
        sheet.stack(pieces, _ACTOR_ROW, _ACTOR)


def _operation(one: Operation) -> _Piece:
    user = f" for {one.user}" if one.user else ""
    error = _error_words(one.error)
    title = (
        f"#{one.number} {one.call}{user}, phase {one.phase}, {one.task}\n"
        f"{_span(one.begin_s, one.end_s)}, {one.outcome}{against_expected(one)}{error}"
    )
    return _Piece(
        kind="operation",
        shape="expected" if raised_as_expected(one) else one.outcome.value,
        begin_s=one.begin_s,
        end_s=one.end_s,
        title=title,
        label=one.call,
    )


def _spawn(one: ClientRecord) -> _Piece:
    end_s = one.exit_s if one.ready_s is None else one.ready_s
    title = (
        f"spawn {one.number} of a client for {key_words(one.key)}, {one.task}\n"
        f"{_span(one.begin_s, end_s)}, {one.outcome}{_error_words(one.error)}"
    )
    shape = Outcome.UNFINISHED if end_s is None else one.outcome
    return _Piece(kind="spawn", shape=shape.value, begin_s=one.begin_s, end_s=end_s, title=title)


def _alive(one: ClientRecord) -> _Piece:
    begin_s = one.begin_s if one.ready_s is None else one.ready_s
    title = f"client {one.number} for {key_words(one.key)} is live\n{_span(begin_s, one.exit_s)}"
    return _Piece(kind="alive", shape="returned", begin_s=begin_s, end_s=one.exit_s, title=title)


def _command(one: Command) -> _Piece:
    title = (
        f"{one.name} on client {one.client} for {key_words(one.key)}, {one.task}\n"
        f"{_span(one.begin_s, one.end_s)}, {one.outcome}{_error_words(one.error)}"
    )
    return _Piece(
        kind="command",
        shape=one.outcome.value,
        begin_s=one.begin_s,
        end_s=one.end_s,
        title=title,
    )


def _hold(one: LockHold) -> _Piece:
    across = f"\nacross {one.across}" if one.across else ""
    title = f"{one.lock} held by {one.task}, taken at {one.where}{across}"
    shape = Outcome.UNFINISHED if one.end_s is None else Outcome.RETURNED
    return _Piece(
        kind="lock",
        shape=shape.value,
        begin_s=one.begin_s,
        end_s=one.end_s,
        title=f"{title}\n{_span(one.begin_s, one.end_s)}",
    )


def _marks(history: History, axis: Axis) -> tuple[Mark, ...]:
    marks = [
        Mark(
            kind="fault",
            x=axis.at(fault.at_s),
            label=str(number),
            text=one_line(
                f"{seconds(fault.at_s)}: {fault.kind} at {fault.point} ({key_words(fault.key)})"
            ),
        )
        for number, fault in enumerate(history.faults[:_FAULTS_MAX], start=1)
    ]
    if history.deadlock is not None:
        at_s = history.deadlock.at_s
        text = f"{seconds(at_s)}: deadlock found"
        marks.append(Mark(kind="deadlock", x=axis.at(at_s), label="deadlock", text=text))
    return tuple(marks)


def _left_out(history: History) -> Iterable[str]:
    for noun, total, shown in (
        ("operation", len(history.operations), OPERATIONS_MAX),
        ("spawn", len(history.clients), _CLIENTS_MAX),
        ("command", len(history.commands), _COMMANDS_MAX),
        ("lock hold", len(history.lock_holds), _HOLDS_MAX),
        ("fault", len(history.faults), _FAULTS_MAX),
    ):
        if total > shown:
            yield f"{shown:,} of {count(total, noun)}"


def _fits(bar: Bar, row: Sequence[Bar]) -> bool:
    return all(bar.x >= _drawn_end(other) or _drawn_end(bar) <= other.x for other in row)


def _drawn_end(bar: Bar) -> float:
    return bar.x + max(bar.width, _DIAMOND * bar.height if bar.instant else 0.0)


def _labelled(bar: Bar, placed: Sequence[Bar]) -> Bar:
    if not bar.label:
        return bar
    room = (len(bar.label) + 2) * _LETTER
    if room <= bar.width:
        return replace(bar, label_side="inside")
    end = _drawn_end(bar)
    later = [other.x for other in placed if other.y == bar.y and other.x >= end]
    free = room <= min(later, default=100.0) - end
    return replace(bar, label_side="right" if free else "none")


def _span(begin_s: float, end_s: float | None) -> str:
    if end_s is None:
        return f"from {seconds(begin_s)}, without end"
    return f"from {seconds(begin_s)} to {seconds(end_s)}, {seconds(end_s - begin_s)} long"


def _error_words(error: ErrorRecord | None) -> str:
    return "" if error is None else f"\n{error.type}: {error.message}"


def _user(operation: Operation) -> str:
    return operation.user or _NO_USER


def _owner(key: Mapping[str, str]) -> str:
    return key.get("user") or key_words(key)


def _end_s(history: History) -> float:
    ends = [history.end_s, *(fault.at_s for fault in history.faults)]
    spans = [(one.begin_s, one.end_s) for one in history.operations]
    spans += [(one.begin_s, one.end_s) for one in history.commands]
    spans += [(one.begin_s, one.end_s) for one in history.lock_holds]
    ends += [begin_s if end_s is None else end_s for begin_s, end_s in spans]
    ends += [client.exit_s or client.ready_s or client.begin_s for client in history.clients]
    return max(ends)
