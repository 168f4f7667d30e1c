"""The plain form of how far an exhaustive search has come, from which it goes on."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.results.plain_record import from_plain, to_plain
from harness.search.exhaustive.decision_path import Decision
from harness.search.exhaustive.footprint import EVERYTHING, Footprint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = [
    "ORDER_BYTES",
    "DecisionMemory",
    "ExhaustiveMemory",
    "memory_from_plain",
    "memory_to_plain",
    "path_kept",
    "path_restored",
]

# Of the digest of an order.
ORDER_BYTES = 12
# More alternatives than any program has: a damaged number must not fill the memory.
ALTERNATIVES_MAX = 1_000_000
_FIX = "name another folder"

Touches = tuple[tuple[str, int | None, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionMemory:
    """What is known of one decision on the path, see ``Decision``.

    ``lanes`` is a position among the memory's lanes, ``asleep`` and ``taken`` are pairs of a lane
    and a position among its footprints. ``wanted`` is None for all alternatives, ``tried`` for all
    before ``pick``. What a decision costs follows from those before it.
    """

    count: int
    pick: int = 0
    lanes: int | None = None
    wanted: tuple[int, ...] | None = None
    tried: tuple[int, ...] | None = None
    asleep: tuple[tuple[int, int], ...] = ()
    taken: tuple[tuple[int, int], ...] = ()
    names: int = 0
    event: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhaustiveMemory:
    """How far an exhaustive search has come, between two runs.

    The events of its last run are not kept: the next one begins in the same way, and they are
    observed once more. Things that steps touch have numbers that are alike in every run, so what
    steps touched means the same in another process. ``changed`` is the position on the path of the
    decision that goes otherwise in the next run, -1 for none; ``orders`` are the digests of its
    distinct orders, joined, in base64. Of what may have touched anything the footprint is None.
    """

    runs: int
    redundant: int = 0
    failures: int = 0
    unsteady: str | None = None
    given_up: str | None = None
    changed: int = -1
    orders: str = ""
    path: tuple[DecisionMemory, ...] = ()
    lanes: tuple[tuple[int, ...], ...] = ()
    footprints: tuple[Touches | None, ...] = ()

    def digests(self) -> list[bytes]:
        """Return the digests of the distinct orders."""
        whole = base64.b64decode(self.orders)
        return [whole[at : at + ORDER_BYTES] for at in range(0, len(whole), ORDER_BYTES)]


def memory_to_plain(memory: ExhaustiveMemory) -> dict[str, Any]:
    """Turn a memory into plain data, without what is as it is by default."""
    path = [_without_defaults(one) for one in memory.path]
    return _without_defaults(memory) | {"path": path}


def _without_defaults(value: DecisionMemory | ExhaustiveMemory) -> dict[str, Any]:
    return {
        one.name: to_plain(getattr(value, one.name))
        for one in dataclasses.fields(value)
        if one.name != "path" and getattr(value, one.name) != one.default
    }


def memory_from_plain(plain: Any, *, where: str) -> ExhaustiveMemory:
    """Read what ``memory_to_plain`` wrote.

    Raises:
        BadInput: It is damaged; the message begins with ``where``.
    """
    memory = from_plain(ExhaustiveMemory, plain, where=where)
    for name in ("runs", "redundant", "failures"):
        _expect(getattr(memory, name) >= 0, f"{where}.{name}", "0 or more", getattr(memory, name))
    changes = -1 <= memory.changed < len(memory.path)
    last = len(memory.path) - 1
    _expect(changes, f"{where}.changed", f"-1 to {last}", memory.changed)
    try:
        whole = len(base64.b64decode(memory.orders, validate=True))
    except (binascii.Error, ValueError):
        whole = -1
    rule = f"digests of {ORDER_BYTES} bytes in base64"
    _expect(whole >= 0 and whole % ORDER_BYTES == 0, f"{where}.orders", rule, memory.orders[:40])
    for at, one in enumerate(memory.path):
        _check_decision(one, memory, f"{where}.path[{at}]")
    return memory


def _check_decision(one: DecisionMemory, memory: ExhaustiveMemory, where: str) -> None:
    _within(one.count, (1, ALTERNATIVES_MAX), f"{where}.count")
    _within(one.pick, (0, one.count - 1), f"{where}.pick")
    _within(one.names, (0, None), f"{where}.names")
    _within(one.event, (-1, None), f"{where}.event")
    if one.lanes is not None:
        _within(one.lanes, (0, len(memory.lanes) - 1), f"{where}.lanes")
        alternatives = len(memory.lanes[one.lanes])
        _expect(alternatives == one.count, f"{where}.count", f"{alternatives}", one.count)
    for name, picks in (("wanted", one.wanted), ("tried", one.tried)):
        for pick in picks or ():
            _within(pick, (0, one.count - 1), f"{where}.{name}")
    for name, sleepers in (("asleep", one.asleep), ("taken", one.taken)):
        for _, footprint in sleepers:
            _within(footprint, (0, len(memory.footprints) - 1), f"{where}.{name}")


def _within(value: int, bounds: tuple[int, int | None], where: str) -> None:
    least, most = bounds
    rule = f"{least} or more" if most is None else f"{least} to {most}"
    _expect(least <= value and (most is None or value <= most), where, rule, value)


def _expect(holds: bool, where: str, rule: str, value: object) -> None:
    if not holds:
        raise BadInput(f"{where} must be {rule}, got {value!r}; {_FIX}")


class _Table:
    """Numbers values in the order in which they first come: the same few come again and again."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


def path_kept(path: Sequence[Decision]) -> dict[str, Any]:
    """Return the fields of a memory that hold a path."""
    lanes, footprints = _Table(), _Table()

    def sleepers(found: dict[int, Footprint]) -> tuple[tuple[int, int], ...]:
        return tuple((lane, footprints.number(_touches(one))) for lane, one in found.items())

    kept = tuple(
        DecisionMemory(
            count=one.count,
            pick=one.pick,
            lanes=None if one.lanes is None else lanes.number(one.lanes),
            wanted=_unless(one.wanted, range(one.count)),
            tried=_unless(one.tried, range(one.pick)),
            asleep=sleepers(one.asleep),
            taken=sleepers(one.taken),
            names=one.names,
            event=one.event,
        )
        for one in path
    )
    return {"path": kept, "lanes": tuple(lanes.numbers), "footprints": tuple(footprints.numbers)}


def _unless(picks: Collection[int], usual: Iterable[int]) -> tuple[int, ...] | None:
    return None if picks == set(usual) else tuple(sorted(picks))


def _touches(footprint: Footprint) -> Touches | None:
    if footprint.everything:
        return None
    # A set has no order that repeats, and None none among numbers.
    return tuple(sorted(footprint.touches, key=lambda one: (one[0], one[1] is None, one[1] or 0)))


def path_restored(memory: ExhaustiveMemory) -> list[Decision]:
    """Make the path again."""
    footprints = [EVERYTHING if one is None else Footprint(one) for one in memory.footprints]
    path: list[Decision] = []
    cost = 0
    for kept in memory.path:
        lanes = None if kept.lanes is None else memory.lanes[kept.lanes]
        one = Decision(count=kept.count, cost=cost, lanes=lanes)
        one.pick, one.names, one.event = kept.pick, kept.names, kept.event
        one.wanted = one.wanted if kept.wanted is None else set(kept.wanted)
        one.tried = set(range(kept.pick) if kept.tried is None else kept.tried)
        one.asleep = {lane: footprints[number] for lane, number in kept.asleep}
        one.taken = {lane: footprints[number] for lane, number in kept.taken}
        cost += one.cost_of(one.pick)
        path.append(one)
    return path
