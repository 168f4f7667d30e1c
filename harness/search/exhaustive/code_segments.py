"""What a stretch of bytecode reads and writes, by names: read from the code, never run."""

from __future__ import annotations

import dis
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.search.exhaustive.opcodes import ENDS, FORWARDS, JUMPS
from harness.search.exhaustive.symbolic_stack import SymbolicStack

if TYPE_CHECKING:
    from types import CodeType

    from harness.search.exhaustive.footprint import Touch
    from harness.search.exhaustive.symbolic_stack import Access, Symbol

__all__ = ["Segment", "accesses_of", "awaits_in", "suspends_in"]

_SENDS = frozenset({"SEND"})
_SUSPENDS = frozenset({"YIELD_VALUE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What may happen between two instructions.

    ``touches`` are certain, ``accesses`` depend on what their symbols stand for. Each local that
    one names has at the segment's end the value that it had at the access.
    """

    touches: frozenset[Touch]
    accesses: tuple[Access, ...]
    everything: bool


@dataclass(slots=True, kw_only=True)
class _Analysis:
    """A code object's instructions: where each leads, and what each touches."""

    followers: dict[int, tuple[int, ...]]
    leaders: dict[int, list[int]]
    accesses: dict[int, list[Access]]
    stored: dict[int, list[str]]
    suspends: frozenset[int]
    stands: frozenset[int]
    yielded: dict[int, int]
    sends: frozenset[int]
    starts: dict[int, int]
    segments: dict[tuple[int, int], Segment] = field(default_factory=dict)


def accesses_of(code: CodeType, begin: int, end: int) -> Segment:
    """Return what lies on any way from one instruction to another that does not suspend between.

    Instructions are told by their offsets in bytes, as in ``f_lasti``; both are part of it.
    """
    analysis = _analysis(code)
    found = analysis.segments.get((begin, end))
    if found is None:
        found = analysis.segments[begin, end] = _segment(analysis, max(begin, 0), end)
    return found


def suspends_in(code: CodeType) -> frozenset[int]:
    """Return the offsets at which a coroutine stands while it is suspended.

    That is the ``YIELD_VALUE``, or from CPython 3.13 on the instruction behind it.
    """
    return _analysis(code).stands


def awaits_in(code: CodeType) -> frozenset[int]:
    """Return the offsets at which a coroutine runs another that it awaits.

    That is the ``SEND``, or on CPython 3.12 the cache behind it.
    """
    return _analysis(code).sends


# By address, with the code itself, which keeps the address its own: hashing a code object reads all
# of it, and this is asked for at every event.
_KNOWN: dict[int, tuple[CodeType, _Analysis]] = {}


def _analysis(code: CodeType) -> _Analysis:
    known = _KNOWN.get(id(code))
    if known is None:
        known = _KNOWN[id(code)] = (code, _analysed(code))
    return known[1]


def _analysed(code: CodeType) -> _Analysis:
    stack = SymbolicStack()
    followers: dict[int, tuple[int, ...]] = {}
    accesses: dict[int, list[Access]] = {}
    stored: dict[int, list[str]] = {}
    suspends, sends = set(), set()
    yielded: dict[int, int] = {}
    starts: dict[int, int] = {}
    read = dis.Bytecode(code)
    instructions = list(read)
    # Not documented; CPython 3.11 to 3.14 have it, and no other is read.
    entries = read.exception_entries  # type: ignore[attr-defined]
    handlers = [(one.start, one.end, one.target) for one in entries]
    for index, one in enumerate(instructions):
        behind = instructions[index + 1].offset if index + 1 < len(instructions) else one.offset
        caches = range(one.offset + 2, behind, 2)
        starts |= dict.fromkeys(caches, one.offset)
        leads = [] if one.opname in ENDS or one.opname in FORWARDS else [index + 1]
        goes = [instructions[i].offset for i in leads if i < len(instructions)]
        if one.opname in JUMPS:
            goes.append(one.argval)
        goes += [target for begin, end, target in handlers if begin <= one.offset < end]
        followers[one.offset] = tuple(goes)
        if one.is_jump_target or any(one.offset == target for _, _, target in handlers):
            stack.forget()
        touched, names = stack.step(one)
        if touched:
            accesses[one.offset] = touched
        if names:
            stored[one.offset] = names
        if one.opname in _SUSPENDS:
            suspends.add(one.offset)
            yielded |= dict.fromkeys(goes[:1], one.offset)
        if one.opname in _SENDS:
            sends |= {one.offset, *caches}
    leaders: dict[int, list[int]] = {}
    for offset, targets in followers.items():
        for target in targets:
            leaders.setdefault(target, []).append(offset)
    return _Analysis(
        followers=followers,
        leaders=leaders,
        accesses=accesses,
        stored=stored,
        suspends=frozenset(suspends),
        stands=frozenset(suspends | yielded.keys()),
        yielded=yielded,
        sends=frozenset(sends),
        starts=starts,
    )


def _segment(analysis: _Analysis, begin: int, end: int) -> Segment:
    # Up to CPython 3.12 a caller is said to be at its call's last cache, which nothing leads to.
    begin, end = analysis.starts.get(begin, begin), analysis.starts.get(end, end)
    # What stands behind its yield ended there.
    end = analysis.yielded.get(end, end)
    ahead = _reached(analysis, begin, analysis.followers, {end})
    lost = end not in ahead
    if not lost:
        ahead &= _reached(analysis, end, analysis.leaders, {begin})
    stores: dict[str, set[int]] = {}
    for offset in ahead:
        for name in analysis.stored.get(offset, ()):
            stores.setdefault(name, set()).add(offset)
    found = []
    for offset in sorted(ahead):
        for access in analysis.accesses.get(offset, ()):
            local = _local_of(access.symbol)
            if local in stores and (
                lost
                or not stores[local].isdisjoint(
                    _reached(analysis, offset, analysis.followers, {end}) & ahead
                )
            ):
                # By the end of the segment the local may have another value than here, or not yet
                # the same if it ended in a way that is not known.
                found.append(access._replace(symbol=None))
            else:
                found.append(access)
    known = [touch for one in found if one.symbol is None for touch in _certain(one)]
    return Segment(
        touches=frozenset(known),
        accesses=tuple(dict.fromkeys(one for one in found if one.symbol is not None)),
        everything=any(one.how == "everything" for one in found),
    )


def _certain(access: Access) -> list[Touch]:
    """Return what an access touches of which nothing is known but its name."""
    how, _, what = access.how.partition(" ")
    if what == "attribute":
        return [(f".{access.name}", None, how == "write")]
    if what == "cell":
        return [(f"cell {access.name}", None, how == "write")]
    if how == "await":
        return [("future", None, False)]
    if how == "call" and not access.name:
        return []
    return [("items", None, how in {"write", "change"})]


def _local_of(symbol: Symbol) -> str | None:
    while symbol is not None and symbol[0] in {"attr", "result"}:
        symbol = symbol[1]
    return symbol[1] if symbol is not None and symbol[0] == "fast" else None


def _reached(
    analysis: _Analysis,
    begin: int,
    edges: dict[int, tuple[int, ...]] | dict[int, list[int]],
    last: set[int],
) -> set[int]:
    """Return what is reached along the edges, without going on from a suspension."""
    seen = {begin}
    open_ends = [begin]
    while open_ends:
        offset = open_ends.pop()
        if offset != begin and (offset in analysis.suspends or offset in last):
            continue
        for target in edges.get(offset, ()):
            if target not in seen:
                seen.add(target)
                open_ends.append(target)
    return seen
