"""Whatever a service returns becomes plain data: always, and the same in every process."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math
import os
import subprocess
import sys
import weakref
from collections import UserString, deque, namedtuple
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.history.plain_data import PlainData


@pytest.fixture
def plain():
    return PlainData({})


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Client:
    """No data: it has an identity instead."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    account_id: str
    network: Colour
    assets: tuple[Decimal, ...] = ()
    owner: Account | None = None


Point = namedtuple("Point", ["x", "y"])
ALICE = Account(account_id="a1", network=Colour.RED)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (-3, -3),
        (1.5, 1.5),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (1 << 5_000, hex(1 << 5_000)),
        (Colour.RED, "red"),
        (Level.LOW, 1),
        (b"\x00\xff", "00ff"),
        (memoryview(b"\x01"), "01"),
        (UserString("text"), "text"),
        (PurePosixPath("a/b"), "a/b"),
        (Decimal("1.10"), "1.10"),
        (Fraction(1, 3), "1/3"),
        (2 + 1j, "(2+1j)"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (dt.datetime(2026, 1, 31, tzinfo=dt.UTC), "2026-01-31T00:00:00+00:00"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.timedelta(seconds=90), "0:01:30"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ([(1, 2), deque([3])], [[1, 2], [3]]),
        (Point(1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        ({3, 10, 2.5, "b"}, [2.5, 3, 10, "b"]),
        (MappingProxyType({"b": 1, "a": 2}), {"a": 2, "b": 1}),
        ({Colour.RED: 1, None: 2, (1, 2): 3}, {"[1, 2]": 3, "null": 2, "red": 1}),
        ({1: "a", "1": "b"}, {"1": "a", "1 (2)": "b"}),
        (Account, {"class": "Account"}),
        (ValueError("no"), {"error": "ValueError", "message": "no"}),
        (
            Account(account_id="b", network=Colour.RED, assets=(Decimal(1),), owner=ALICE),
            {
                "account_id": "b",
                "network": "red",
                "assets": ["1"],
                "owner": {"account_id": "a1", "network": "red", "assets": [], "owner": None},
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_json(plain, value, expected):
    found = plain.of(value)
    assert found == expected
    assert type(found) is type(expected)
    json.dumps(found, allow_nan=False)


def test_subclasses_of_numbers_and_text_become_the_plain_kinds(plain):
    class Name(str):
        __slots__ = ()

        def __str__(self):
            return "lies"

    class Count(int):
        def __repr__(self):
            return "lies"

    found = plain.of([Name("n"), Count(3)])
    assert found == ["n", 3]
    assert [type(one) for one in found] == [str, int]


def test_the_same_object_has_the_same_number_and_another_has_another(plain):
    first, second = Client(), Client()
    assert plain.of([first, second, first]) == [
        {"object": "Client", "number": 0},
        {"object": "Client", "number": 1},
        {"object": "Client", "number": 0},
    ]
    assert plain.of(second) == {"object": "Client", "number": 1}


def test_a_number_is_not_given_again_when_an_object_is_gone(plain):
    numbers = {plain.of(Client())["number"] for _ in range(100)}
    assert numbers == set(range(100))


def test_objects_in_a_set_get_no_number_of_their_own(plain):
    known = Client()
    plain.of(known)
    assert plain.of({known, Client(), Client()}) == [
        {"number": 0, "object": "Client"},
        {"object": "Client"},
        {"object": "Client"},
    ]
    assert plain.of(Client()) == {"object": "Client", "number": 1}


def test_objects_in_a_mapping_are_numbered_by_key(plain):
    first, second = Client(), Client()
    plain.of({"b": second, "a": first})
    assert plain.of([first, second]) == plain.of([first, second])
    assert plain.of(first)["number"] == 0


def test_a_generator_is_not_run(plain):
    ran = []
    generator = (ran.append(number) for number in range(3))  # type: ignore[func-returns-value]
    assert plain.of(generator) == {"object": "generator", "number": 0}
    assert not ran


def test_what_contains_itself_is_told(plain):
    cycle: list[Any] = [1]
    cycle.append(cycle)
    table = {"deep": {}}
    table["deep"]["up"] = table
    assert plain.of(cycle) == [1, {"contains_itself": "list"}]
    assert plain.of(table) == {"deep": {"up": {"contains_itself": "dict"}}}


def test_what_stands_twice_does_not_contain_itself(plain):
    shared = [1]
    assert plain.of([shared, shared]) == [[1], [1]]


def test_what_is_very_deep_is_cut_off(plain):
    deep = []
    for _ in range(10_000):
        deep = [deep]
    assert '{"too_deep": "list"}' in json.dumps(plain.of(deep))


def test_what_has_no_end_is_cut_off(plain):
    found = plain.of(range(10**18))
    assert len(found) == 100_000
    assert found[-1] == {"too_large": "range"}


def test_very_long_text_keeps_its_beginning_and_a_digest(plain):
    one, other = ("x" * 200_000 + end for end in "ab")
    assert plain.of(one) != plain.of(other)
    assert plain.of(one).startswith("xxx")
    assert "200001 letters" in plain.of(one)
    assert len(plain.of(one)) < 1_200


def test_what_cannot_be_read_is_told_and_nothing_is_raised(plain):
    class Hostile:
        @property  # type: ignore[misc]
        def __class__(self):
            raise RuntimeError

    class Sequenceish(deque[int]):
        def __iter__(self):
            raise OSError

    @dataclasses.dataclass(slots=True)
    class HalfMade:
        here: int
        gone: int

    half = HalfMade(1, 2)
    del half.gone
    target = Client()
    dead = weakref.proxy(target)
    del target
    assert plain.of([Hostile(), Sequenceish(), half, dead]) == [
        {"unreadable": "Hostile", "error": "RuntimeError"},
        {"unreadable": "Sequenceish", "error": "OSError"},
        {"here": 1, "gone": {"unreadable": "gone", "error": "AttributeError"}},
        {"unreadable": type(dead).__name__, "error": "ReferenceError"},
    ]


def test_folders_and_addresses_are_replaced_in_text_and_the_longest_first():
    plain = PlainData({"/tmp/run": "<run>", "/tmp/run/storage": "<storage>"})
    assert plain.text("/tmp/run/storage/a of /tmp/run") == "<storage>/a of <run>"
    assert plain.text(f"in {Client()!r}").endswith(".Client object at 0x…>")
    assert plain.of(Path("/tmp/run/x")) == "<run>/x"


@pytest.mark.parametrize(
    "text",
    [
        "<function f.<locals>.g at 0xADDRESS>",
        "<function <lambda> at 0xADDRESS> of <bound method A.f of <A object at 0xADDRESS>>",
        "<Token var=<ContextVar name='v' at 0xADDRESS> at 0xADDRESS>",
        "<weakref at 0xADDRESS; to 'A' at 0xADDRESS>",
        "<cell at 0xADDRESS: int object at 0xADDRESS>",
        '<code object f at 0xADDRESS, file "a.py", line 1>',
        "<asyncio.locks.Lock object at 0xADDRESS [unlocked]>",
        "<coroutine object f.<locals>.g at 0xADDRESS>",
    ],
)
def test_addresses_are_replaced_between_brackets_within_brackets(plain, text):
    assert plain.text(text.replace("0xADDRESS", "0x7f3a02cb67a0")) == text.replace(
        "0xADDRESS", "0x…"
    )


@pytest.mark.parametrize(
    "told",
    [
        "account at 0xa1b2c3d4e5f6a7 is gone",
        "<a> sent to account at 0xa1b2c3d4e5f6a7 > 3",
        "x < y of account at 0xa1b2c3d4e5f6a7 is gone",
    ],
)
def test_an_account_id_in_text_is_no_address(plain, told):
    assert plain.text(told) == told


def test_an_error_keeps_its_causes_in_order(plain):
    first, second, third = KeyError("first"), OSError("second"), LookupError("third")
    second.__cause__, third.__context__ = first, second
    record = plain.error(third)
    assert (record.type, record.message, record.bases) == ("LookupError", "third", ())
    assert record.chain == ("OSError: second", "KeyError: 'first'")


def test_a_hidden_cause_stays_hidden(plain):
    error = ValueError("shown")
    error.__context__ = KeyError("hidden")
    error.__suppress_context__ = True
    assert plain.error(error).chain == ()


def test_the_members_of_a_group_are_told(plain):
    group = ExceptionGroup("two failed", [ValueError("a"), TypeError("b")])
    record = plain.error(group)
    assert record.message == "two failed (2 sub-exceptions)"
    assert record.chain == ("ValueError: a", "TypeError: b")


def test_causes_in_a_cycle_are_told_once(plain):
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert plain.error(one).chain == ("ValueError: other",)


def test_an_error_that_cannot_be_told_is_told_so(plain):
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert plain.error(Mute()).message == "(unreadable: RuntimeError)"


def test_the_bases_of_an_error_are_its_own(plain):
    assert plain.error(ConnectionResetError()).bases == ("ConnectionError", "OSError")


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.dates()
    ),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.frozensets(st.one_of(st.text(), st.integers(), st.tuples(st.text()))),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.booleans()), inner),
    ),
    max_leaves=20,
)


@given(value=VALUES)
def test_whatever_comes_is_json_and_the_same_twice(value):
    found = PlainData({}).of(value)
    assert json.dumps(found, allow_nan=False) == json.dumps(PlainData({}).of(value))
    json.dumps(found, ensure_ascii=False).encode("utf-8")


SAMPLE = """
import json, sys
from harness.history.plain_data import PlainData
class Thing: pass
things = {Thing() for _ in range(20)}
value = {"names": {f"n{n}" for n in range(50)}, "things": things, "of": {frozenset("abc"): Thing()},
         "said": repr(Thing()), "error": ValueError(f"{Thing()} is lost")}
plain = PlainData({})
print(json.dumps([plain.of(value), plain.of(Thing())]))
"""


def test_two_processes_with_other_hashes_say_the_same():
    said = {
        subprocess.run(
            [sys.executable, "-c", SAMPLE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
