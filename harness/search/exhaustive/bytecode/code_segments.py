"""What a stretch of bytecode reads and writes, by names: read from the code, never run."""

from __future__ import annotations

import dis
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from harness.search.exhaustive.bytecode.instructions import bound_by, carried_out
from harness.search.exhaustive.bytecode.opcodes import ENDS, FORWARDS, JUMPS, NOTHING
from harness.search.exhaustive.bytecode.symbolic_stack import SymbolicStack
from harness.search.exhaustive.bytecode.symbols import names_of, without

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import CodeType

    from harness.search.exhaustive.bytecode.symbols import Access
    from harness.search.exhaustive.footprint import Touch

__all__ = ["Segment", "accesses_of", "awaits_in", "given_at", "suspends_in"]

# Calls, and the same where an event has told of them: then it was no code of C alone.
_EVENTED = {"call": "called", "with": "entered"}
_CALLS = frozenset({*_EVENTED, *_EVENTED.values()})
_SENDS = frozenset({"SEND"})
_SUSPENDS = frozenset({"YIELD_VALUE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What may happen between two instructions.

    ``touches`` are certain, ``accesses`` depend on what their symbols stand for. Each local that
    one names has at the segment's end the value that it had at the access, and so has all else
    unless one of ``names`` was bound anew.
    """

    touches: frozenset[Touch]
    accesses: tuple[Access, ...]
    names: frozenset[str]
    everything: bool


@dataclass(slots=True, kw_only=True)
class _Analysis:
    """A code object's instructions: where each leads, and what each touches."""

    followers: dict[int, tuple[int, ...]] = field(default_factory=dict)
    leaders: dict[int, list[int]] = field(default_factory=dict)
    accesses: dict[int, list[Access]] = field(default_factory=dict)
    stored: dict[int, list[str]] = field(default_factory=dict)
    in_place: dict[int, int] = field(default_factory=dict)
    suspends: set[int] = field(default_factory=set)
    stands: set[int] = field(default_factory=set)
    yielded: dict[int, int] = field(default_factory=dict)
    sends: set[int] = field(default_factory=set)
    starts: dict[int, int] = field(default_factory=dict)
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


def given_at(code: CodeType, offset: int) -> Access | None:
    """Return the call that an instruction is, with what it is given; None if it is another."""
    analysis = _analysis(code)
    for access in analysis.accesses.get(analysis.starts.get(offset, offset), ()):
        if access.how == "call":
            return access
    return None


def suspends_in(code: CodeType) -> set[int]:
    """Return the offsets at which a coroutine stands while it is suspended.

    That is the ``YIELD_VALUE``, or from CPython 3.13 on the instruction behind it.
    """
    return _analysis(code).stands


def awaits_in(code: CodeType) -> set[int]:
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
    read = dis.Bytecode(code)
    instructions = list(read)
    # Not documented; CPython 3.11 to 3.14 have it, and no other is read.
    entries = read.exception_entries  # type: ignore[attr-defined]
    handlers = [(one.start, one.end, one.target) for one in entries]
    analysis = _Analysis()
    for index, one in enumerate(instructions):
        _find_ways(analysis, instructions, index, handlers)
        if one.opname in _SENDS:
            analysis.sends |= {one.offset, *_caches(instructions, index)}
    _carry_out(analysis, instructions, {target for _, _, target in handlers})
    for offset, targets in analysis.followers.items():
        for target in targets:
            analysis.leaders.setdefault(target, []).append(offset)
    return analysis


def _find_ways(
    analysis: _Analysis,
    instructions: list[dis.Instruction],
    index: int,
    handlers: list[tuple[int, int, int]],
) -> None:
    """Find out where an instruction leads."""
    one = instructions[index]
    analysis.starts |= dict.fromkeys(_caches(instructions, index), one.offset)
    goes = []
    if one.opname not in ENDS and one.opname not in FORWARDS:
        goes += [behind.offset for behind in instructions[index + 1 : index + 2]]
    if one.opname in JUMPS:
        goes.append(one.argval)
    goes += [target for begin, end, target in handlers if begin <= one.offset < end]
    analysis.followers[one.offset] = tuple(goes)
    if one.opname in _SUSPENDS:
        analysis.suspends.add(one.offset)
        analysis.stands |= {one.offset, *goes[:1]}
        analysis.yielded |= dict.fromkeys(goes[:1], one.offset)


def _caches(instructions: list[dis.Instruction], index: int) -> range:
    offset = instructions[index].offset
    behind = instructions[index + 1].offset if index + 1 < len(instructions) else offset
    return range(offset + 2, behind, 2)


def _carry_out(
    analysis: _Analysis, instructions: list[dis.Instruction], caught_at: set[int]
) -> None:
    """Find out what the instructions touch."""
    stack = SymbolicStack()
    for index, one in enumerate(instructions):
        if one.is_jump_target or one.offset in caught_at:
            stack.forget()
        if one.opname == "FOR_ITER":
            body = _body(instructions, index)
            stack.taken_up(
                waits=any(inner.opname in _SUSPENDS for inner in body),
                binds={name for inner in body for name in bound_by(inner)},
            )
        touched, names = carried_out(stack, one), bound_by(one)
        if _is_awaited(instructions, index):
            # No code of C but what is an event makes what can be awaited.
            touched = [_evented(access) for access in touched]
        if touched:
            analysis.accesses[one.offset] = [
                access._replace(names=names_of(access)) for access in touched
            ]
        if names:
            analysis.stored[one.offset] = names
        if one.opname == "BINARY_OP" and one.argrepr.endswith("="):
            analysis.in_place[one.offset] = _put_back(instructions, index)


def _body(instructions: list[dis.Instruction], index: int) -> list[dis.Instruction]:
    """Return the instructions of a loop, as far as they stand behind its first one."""
    end = instructions[index].argval
    return list(takewhile(lambda one: one.offset < end, instructions[index:]))


def _evented(access: Access) -> Access:
    return access._replace(how=_EVENTED.get(access.how, access.how))


def _put_back(instructions: list[dis.Instruction], index: int) -> int:
    """Return where what was changed in place is stored by the name by which it was found."""
    behind = (one for one in instructions[index + 1 :] if one.opname != "SWAP")
    return next((one.offset for one in behind if one.opname not in NOTHING), -1)


def _is_awaited(instructions: list[dis.Instruction], index: int) -> bool:
    behind = instructions[index + 1 : index + 2]
    return bool(behind) and behind[0].opname == "GET_AWAITABLE"


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
    again = lost or not ahead.isdisjoint(analysis.leaders.get(begin, ()))
    found: list[Access] = []
    for offset in sorted(ahead):
        accesses = analysis.accesses.get(offset, [])
        if stores and accesses:
            behind = _reached(analysis, offset, analysis.followers, {end}) & ahead
            if offset in analysis.in_place:
                # What is changed in place is the same once it is stored again.
                behind -= {offset, analysis.in_place[offset]}
            # By the end of the segment such a name may stand for another thing than here, or not
            # yet for the same if it ended in a way that is not known.
            anew = {name for name, places in stores.items() if lost or places & behind}
            accesses = [_without(access, anew) for access in accesses]
        if offset == end or (offset == begin and not again):
            # Here an event told of the call.
            accesses = [_evented(one) for one in accesses]
        found += accesses
    known = [touch for one in found if _is_sure(one) for touch in _certain(one)]
    unsure = tuple(dict.fromkeys(one for one in found if not _is_sure(one)))
    return Segment(
        touches=frozenset(known),
        accesses=unsure,
        names=frozenset(name for one in unsure for name in one.names),
        everything=any(one.how == "everything" for one in found),
    )


def _is_sure(access: Access) -> bool:
    """Return True for what touches the same whatever there is: no symbol is to be looked up."""
    if access.how.endswith(" attribute") or access.how in _CALLS:
        return False
    return access.symbol is None and not access.given


def _certain(access: Access) -> list[Touch]:
    """Return what an access touches of which nothing is known but its name."""
    how, _, what = access.how.partition(" ")
    if what == "global":
        return [(f".{access.name}", None, how == "write")]
    if what == "cell":
        return [(f"cell {access.name}", None, how == "write")]
    if how in {"count", "everything"}:
        return []
    if how == "await":
        return [("future", None, False)]
    looks: list[Touch] = [("items", None, how not in {"look", "deep", "take"})]
    return [*looks, ("future", None, False)] if how == "deep" else looks


def _without(access: Access, names: Collection[str]) -> Access:
    given = access.given and tuple(without(one, names) for one in access.given)
    return access._replace(symbol=without(access.symbol, names), given=given)


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
