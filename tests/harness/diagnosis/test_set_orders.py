"""Lines where the order of a set, or an address, may decide are found in a program's text."""

from __future__ import annotations

import sys

import pytest

from harness.diagnosis.set_orders import set_orders

FOUND = [
    "for one in {'a', 'b'}: pass",
    "for one in set(things): pass",
    "for one in list({*things}): pass",
    "print(*{1, 2})",
    "made = [one for one in frozenset(things)]",
    "async def f():\n    await asyncio.gather(*{one() for one in things})",
    "waiting = set()\nfor one in waiting: pass",
    "class A:\n    def __init__(self):\n        self.open = set()\n    def f(self):\n"
    "        return [one for one in self.open]",
    "class A:\n    open: set[str]\n    def f(self):\n        return list(self.open)",
    "def f(words: frozenset[str]):\n    return tuple(words)",
    "waiting = set()\ndef f():\n    return waiting.pop()",
    "for one in {1} | other: pass",
    "first = next(iter({*things}))",
    "things.sort(key=id)",
    "bucket = hash(name) % 8",
    "for one in weakref.WeakSet(things): pass",
]
NOT = [
    "for one in sorted({*things}): pass",
    "for one in [1, 2]: pass",
    "small = len({*things})",
    "inside = 3 in {1, 2, 3}",
    "stack = []\nstack.pop()",
    "class A:\n    def __hash__(self):\n        return hash(self.name)",
    "counts = {}\nfor one in counts: pass",
]


@pytest.fixture
def module(tmp_path, monkeypatch):
    def load(text):
        path = tmp_path / "one.py"
        path.write_text(text, encoding="utf-8")
        named = type(sys)("one_of_sets")
        named.__file__ = str(path)
        monkeypatch.setitem(sys.modules, "one_of_sets", named)
        return "one_of_sets"

    return load


@pytest.mark.parametrize("text", FOUND)
def test_a_line_is_found(module, text):
    (line,) = set_orders(module(text))
    assert line.startswith("one.py:")


@pytest.mark.parametrize("text", NOT)
def test_what_has_an_order_is_not_accused(module, text):
    assert set_orders(module(text)) == []


def test_a_module_without_a_file_has_no_lines():
    assert set_orders("sys") == set_orders("no_such_module") == []
