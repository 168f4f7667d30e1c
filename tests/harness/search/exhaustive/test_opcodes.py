"""Every instruction of the running Python is known, and is what the search takes it for."""

from __future__ import annotations

import asyncio.base_events
import asyncio.tasks
import dis
import inspect
import sys
import types
from collections import Counter, namedtuple
from itertools import pairwise

import pytest

from harness.errors import BadInput
from harness.search.exhaustive.bytecode import opcodes
from harness.search.exhaustive.bytecode.instructions import HANDLERS, carried_out
from harness.search.exhaustive.bytecode.symbolic_stack import SymbolicStack
from harness.search.exhaustive.search import Exhaustive
from harness.search.strategies.portfolio import strategy_named

# What may be in a code object: what does not fit into a byte only the compiler sees.
POSSIBLE = {name for name, number in dis.opmap.items() if number < 256} - opcodes.REPLACED

# What the modules below have nothing of.
RARER = """
def rarer(rows, box, *rest, key=None, **named):
    global counted
    counted = not rows
    rows[1:2], rows[key:], rows[-1] = box[1:], [+key, *rest], f"{key!r:>5}"
    del rows[0], box.name, key, counted
    total = all(one for one in rows) and any(one for one in rows) or tuple(one for one in rows)
    class Inner:
        held = total
    async def walks(one):
        async with one as lock, one:
            yield [row async for row in lock if row not in box]
        async for row in one:
            yield await row
    match rows:
        case [1, *_]: return 1
        case {"a": 1, **named}: return rarer(*rest, **named, sep="")
        case types.CodeType(co_code=found): return super().rarer(rows), found
    try:
        with rows as first, box: first.count += total
    except ValueError as error: raise AssertionError(~key, -key) from error
    for row, other in {**named, "b": rest}.items(): print(row is not other, row, end="")
    del total
    return {one: two for one, two in rows} | {*rows} and walks
"""


def codes_of(*texts):
    open_ends = [compile(text, "<text>", "exec") for text in texts]
    while open_ends:
        code = open_ends.pop()
        yield code
        open_ends += [one for one in code.co_consts if isinstance(one, types.CodeType)]


MODULES = (asyncio.base_events, asyncio.tasks, dis, inspect)
CODES = tuple(codes_of(RARER, *map(inspect.getsource, MODULES)))


def test_every_instruction_of_this_python_is_known():
    assert HANDLERS.keys() >= POSSIBLE
    assert Exhaustive().reduced


def test_every_instruction_is_in_one_group():
    groups = (opcodes.NOTHING, opcodes.HARMLESS, opcodes.READS_ANY, opcodes.ANYTHING)
    alone = HANDLERS.keys() - frozenset().union(*groups)
    counted = Counter(name for group in (*groups, alone, opcodes.REPLACED) for name in group)
    assert {name for name, times in counted.items() if times > 1} == set()
    assert opcodes.ENDS | opcodes.FORWARDS <= opcodes.HARMLESS
    assert HANDLERS.keys() >= opcodes.JUMPS


def test_what_is_replaced_while_it_runs_is_in_no_code():
    def counts(rows):
        return sum(row + 1 for row in rows)

    for _ in range(2_000):
        counts([1, 2, 3])
    seen = {one.opname for one in dis.get_instructions(counts)}
    assert seen.isdisjoint(opcodes.REPLACED)
    assert {one.opname for code in CODES for one in dis.get_instructions(code)} <= POSSIBLE


def effect_of(one):
    """Return by how much CPython says that an instruction makes the stack longer."""
    effect = dis.stack_effect(one.opcode, one.arg, jump=False)
    if one.opname == "CALL" and "PRECALL" in dis.opmap:
        # CPython 3.11 has a call's arguments taken by the one, and its callable by the other.
        effect += dis.stack_effect(dis.opmap["PRECALL"], one.arg)
    return 0 if one.opname == "PRECALL" else effect


def test_the_imagined_stack_is_as_long_as_that_of_python():
    compared = set()
    for code in CODES:
        for one in dis.get_instructions(code):
            stack = SymbolicStack()
            stack.symbols = [("fast", "below")] * 300
            carried_out(stack, one)
            # At most a value or two lie on what is not known.
            if len(stack.symbols) > 2:
                assert len(stack.symbols) == 300 + effect_of(one), one
                compared.add(one.opname)
    forgotten = opcodes.HARMLESS | opcodes.READS_ANY | opcodes.ANYTHING
    forgotten |= {
        "CALL_INTRINSIC_1",
        "CHECK_EXC_MATCH",
        "FOR_ITER",
        "MATCH_CLASS",
        "WITH_EXCEPT_START",
    }
    assert compared == POSSIBLE - forgotten - {"CACHE"}


def test_jumps_are_those_that_python_says_it_has():
    said = {dis.opname[number] for number in (*dis.hasjrel, *dis.hasjabs) if number < 256}
    # It names the place that it belongs to, and does not go there.
    assert (said & POSSIBLE) - {"END_ASYNC_FOR"} == opcodes.JUMPS & POSSIBLE


def test_nothing_goes_on_behind_an_end_or_a_jump_that_is_always_made():
    away = opcodes.ENDS | opcodes.FORWARDS
    for code in CODES:
        read = dis.Bytecode(code)
        handlers = {one.target for one in read.exception_entries}  # type: ignore[attr-defined]
        found = list(read)
        assert found[-1].opname in away
        for one, behind in pairwise(found):
            if one.opname in away:
                # CPython 3.11 leaves instructions of no line behind some.
                lands = behind.is_jump_target or behind.offset in handlers
                assert lands or not (behind.positions and behind.positions.lineno), (one, behind)


Version = namedtuple("Version", "major minor micro")


@pytest.mark.parametrize(
    ("where", "name", "value", "what"),
    [
        (sys, "version_info", Version(3, 15, 2), r"CPython 3\.15\.2"),
        (sys, "implementation", types.SimpleNamespace(name="pypy"), r"pypy 3\.\d+\.\d+"),
        (dis, "opmap", {**dis.opmap, "STORE_FAST_TWICE": 9}, r"STORE_FAST_TWICE of CPython 3\.\S+"),
    ],
    ids=["newer", "another", "an instruction"],
)
def test_bytecode_that_is_not_known_is_refused(monkeypatch, where, name, value, what):
    monkeypatch.setattr(where, name, value)
    with pytest.raises(
        BadInput, match=f"^--strategy exhaustive: .* does not know {what}; use "
    ) as it:
        strategy_named("exhaustive", seed=0)
    assert "\n" not in str(it.value)


@pytest.mark.parametrize("options", [{"bound": 2}, {"reduced": False}])
def test_what_reads_no_bytecode_knows_every_python(monkeypatch, options):
    monkeypatch.setattr(sys, "version_info", Version(3, 15, 2))
    assert not Exhaustive(**options).reduced
