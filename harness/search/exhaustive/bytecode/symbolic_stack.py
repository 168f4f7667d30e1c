# ruff: noqa: D102 - each method carries out the instructions that it is named after
"""What each instruction touches, found by carrying names along an imagined stack."""

from __future__ import annotations

import dis
from typing import TYPE_CHECKING

from harness.search.exhaustive.bytecode.opcodes import (
    INTRINSICS,
)
from harness.search.exhaustive.bytecode.symbols import (
    ELEMENT,
    EVERYTHING,
    FUNCTION,
    NULL,
    RANGE,
    VALUE,
    Access,
    aged,
    attribute,
    is_local,
    is_plain,
    loosely,
    names_in,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.search.exhaustive.bytecode.symbols import Symbol

__all__ = ["SymbolicStack"]


class SymbolicStack:
    """Follows one code object instruction by instruction; where ways meet it knows nothing."""

    def __init__(self) -> None:
        self.symbols: list[Symbol] = []
        self._iterated: Symbol = None
        self._keywords: tuple[str, ...] = ()

    def taken_up(self, *, waits: bool, binds: Collection[str]) -> None:
        """Begin a loop, which may wait, and bind names anew: what it names may then be another."""
        symbol = without(self._iterated, [name for name in binds if is_local(name)])
        named = names_in(symbol)
        if waits or "items" in named or not named.isdisjoint(binds):
            self._iterated = loosely(symbol)
        else:
            self._iterated = aged(symbol)

    def forget(self) -> None:
        """Know nothing of what lies on the stack."""
        self.symbols.clear()

    def nothing(self, one: dis.Instruction) -> list[Access]:
        del one
        return []

    def harmless(self, one: dis.Instruction) -> list[Access]:
        del one
        self.forget()
        return []

    def reads_any(self, one: dis.Instruction) -> list[Access]:
        del one
        self.forget()
        return [Access("read", None)]

    def formats(self, one: dis.Instruction) -> list[Access]:
        """Carry out what makes a text of a value, which may be a future."""
        given = one.opname == "FORMAT_WITH_SPEC" or (
            one.opname == "FORMAT_VALUE" and (one.arg or 0) & 4 == 4
        )
        if given:
            self._pop()
        value = self._pop()
        self._push(VALUE)
        return [] if value == VALUE else [Access("deep", value)]

    def builds(self, one: dis.Instruction) -> list[Access]:
        size = one.arg or 0
        if one.opname == "BUILD_MAP":
            size *= 2
        elif one.opname == "BUILD_CONST_KEY_MAP":
            size += 1
        parts = tuple(self._pop() for _ in range(size))
        return self._push(VALUE if one.opname == "BUILD_STRING" else ("made", parts))

    def make_function(self, one: dis.Instruction) -> list[Access]:
        # Up to CPython 3.12 its defaults, cells and annotations lie below its code.
        below = 1 if one.opname == "SET_FUNCTION_ATTRIBUTE" else (one.arg or 0).bit_count()
        for _ in range(1 + below):
            self._pop()
        return self._push(FUNCTION)

    def adds(self, one: dis.Instruction) -> list[Access]:
        """Carry out what puts one more into what a comprehension makes."""
        for _ in range(2 if one.opname == "MAP_ADD" else 1):
            self._pop()
        return []

    def takes_in(self, one: dis.Instruction) -> list[Access]:
        """Carry out what puts all of one into another: ``[*rows]``, ``{**named}``."""
        taken = self._pop()
        into = self.symbols[-1] if self.symbols else None
        if one.arg == 1 and into is not None and into[0] == "made":
            self.symbols[-1] = ("made", (*into[1], None))
        return [Access("iterate", taken)]

    def unpacks(self, one: dis.Instruction) -> list[Access]:
        whole, count = self._pop(), one.arg or 0
        if one.opname == "UNPACK_EX":
            count = (count & 0xFF) + (count >> 8) + 1
        for _ in range(count):
            self._push(ELEMENT if whole == ELEMENT else None)
        return [] if whole == VALUE else [Access("iterate", whole)]

    def matches_class(self, one: dis.Instruction) -> list[Access]:
        names = self._pop()
        self.forget()
        # Without attributes it is asked for its class alone.
        return [] if not one.arg and names == ("const", ()) else [EVERYTHING]

    def enters(self, one: dis.Instruction) -> list[Access]:
        del one
        manager = self._pop()
        self._push(None)
        self._push(None)
        return [Access("with", manager)]

    def names_keywords(self, one: dis.Instruction) -> list[Access]:
        self._keywords = one.argval if isinstance(one.argval, tuple) else ("?",)
        return []

    def anything(self, one: dis.Instruction) -> list[Access]:
        del one
        self.forget()
        return [EVERYTHING]

    def intrinsic(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.12 made one instruction of many."""
        self.forget()
        return [] if one.argrepr in INTRINSICS else [EVERYTHING]

    def _pop(self) -> Symbol:
        return self.symbols.pop() if self.symbols else None

    def _push(self, symbol: Symbol) -> list[Access]:
        self.symbols.append(symbol)
        return []

    def store_fast(self, one: dis.Instruction) -> list[Access]:
        """Carry out STORE_FAST, and what CPython 3.13 makes of two instructions in a row."""
        self._pop()
        if one.opname == "STORE_FAST_STORE_FAST":
            self._pop()
        elif one.opname == "STORE_FAST_LOAD_FAST":
            self._push(("fast", one.argval[1]))
        return []

    def load_two(self, one: dis.Instruction) -> list[Access]:
        for name in one.argval:
            self._push(("fast", name))
        return []

    def load_fast(self, one: dis.Instruction) -> list[Access]:
        if one.argval == ".0":
            # What a comprehension or a generator expression goes over.
            self._iterated = ("fast", ".0")
        return self._push(("fast", one.argval))

    def load_const(self, one: dis.Instruction) -> list[Access]:
        return self._push(("const", one.argval))

    def load_global(self, one: dis.Instruction) -> list[Access]:
        if (one.arg or 0) & 1:
            self._push(NULL)
        self._push(("global", one.argval))
        return [Access("read global", None, one.argval)]

    def load_deref(self, one: dis.Instruction) -> list[Access]:
        self._push(("deref", one.argval))
        return [Access("read cell", None, one.argval)]

    def load_unknown(self, one: dis.Instruction) -> list[Access]:
        del one
        return self._push(None)

    def load_special(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.14 made of ``with``: a method, and what it belongs to."""
        del one
        self._pop()
        self._push(None)
        return self._push(None)

    def store_deref(self, one: dis.Instruction) -> list[Access]:
        if one.opname == "STORE_DEREF":
            self._pop()
        return [Access("write cell", None, one.argval)]

    def store_global(self, one: dis.Instruction) -> list[Access]:
        if one.opname == "STORE_GLOBAL":
            self._pop()
        return [Access("write global", None, one.argval)]

    def load_attr(self, one: dis.Instruction) -> list[Access]:
        owner = self._pop()
        found = ("attr", owner, one.argval) if owner is not None else None
        method = one.opname == "LOAD_METHOD" or " + " in (one.argrepr or "")
        if method:
            self._push(found)
            self._push(owner)
        else:
            self._push(found)
        return [attribute("read attribute", owner, one.argval)]

    def store_attr(self, one: dis.Instruction) -> list[Access]:
        owner = self._pop()
        self._pop()
        return [attribute("write attribute", owner, one.argval)]

    def delete_attr(self, one: dis.Instruction) -> list[Access]:
        return [attribute("write attribute", self._pop(), one.argval)]

    def call(self, one: dis.Instruction) -> list[Access]:
        # A loop that follows goes over what the call returns: a generator, on CPython 3.14.
        self._iterated = None
        keywords, self._keywords = self._keywords, ()
        arguments = tuple(self._pop() for _ in range(one.arg or 0))[::-1]
        upper, lower = self._pop(), self._pop()
        callee = upper if lower == NULL else lower
        if upper == ("const", None):
            # The end of a ``with``: a method of C is an event, and nothing else is code of C.
            self._push(None)
            return [Access("called", None, given=arguments)]
        if callee == ("global", "range"):
            self._push(RANGE)
            return []
        self._push(("result", callee, arguments) if callee is not None else None)
        return [Access("call", callee, given=arguments, keywords=keywords)]

    def call_with_any(self, one: dis.Instruction) -> list[Access]:
        """Carry out a call with arguments from a tuple, and perhaps a dict."""
        self._iterated = None
        iterated = [self._pop() for _ in range(-2 - dis.stack_effect(one.opcode, one.arg) + 1)]
        upper, lower = self._pop(), self._pop()
        callee = upper if lower == NULL else lower
        self._push(("result", callee, (None,)) if callee is not None else None)
        reads = [Access("iterate", one) for one in iterated if one != NULL]
        return [*reads, Access("call", callee, given=None)]

    def call_with_keywords(self, one: dis.Instruction) -> list[Access]:
        """Carry out CPython 3.13's call whose topmost value names the last arguments."""
        names = self._pop()
        known = names is not None and names[0] == "const"
        self._keywords = names[1] if known and names is not None else ("?",)
        return self.call(one)

    def load_super_attr(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.12 made of a call of ``super`` and LOAD_ATTR."""
        for _ in range(3):
            self._pop()
        self._push(("attr", ("super",), one.argval))
        if (one.arg or 0) & 1:
            self._push(("super",))
        return [attribute("read attribute", None, one.argval)]

    def get_iter(self, one: dis.Instruction) -> list[Access]:
        del one
        self._iterated = self._pop()
        self._push(None)
        return [] if self._iterated == RANGE else [Access("iterate", self._iterated)]

    def for_iter(self, one: dis.Instruction) -> list[Access]:
        del one
        source, self._iterated = self._iterated, None
        self.forget()
        self._push(ELEMENT)
        return [] if source == RANGE else [Access("iterate", source)]

    def build_slice(self, one: dis.Instruction) -> list[Access]:
        for _ in range(one.arg or 0):
            self._pop()
        return self._push(None)

    def subscript(self, one: dis.Instruction) -> list[Access]:
        key = self._pop()
        if one.opname == "BINARY_SLICE":
            self._pop()
            key = None
        owner = self._pop()
        self._push(("item", owner, key) if owner is not None and key is not None else None)
        return [Access("read", owner)]

    def store_subscr(self, one: dis.Instruction) -> list[Access]:
        key = self._pop()
        if one.opname == "STORE_SLICE":
            self._pop()
            key = None
        owner = self._pop()
        value = VALUE if one.opname == "DELETE_SUBSCR" else self._pop()
        return [Access("write", owner, given=(key, value))]

    def binary_op(self, one: dis.Instruction) -> list[Access]:
        if one.argrepr == "[]":
            # An instruction of its own before CPython 3.14.
            return self.subscript(one)
        right, left = self._pop(), self._pop()
        sign = one.argrepr or "="
        number = right is not None and right[0] == "const" and isinstance(right[1], (int, float))
        self._push(VALUE if number and sign not in {"%", "%=", "|", "|="} else None)
        if self.symbols[-1] == VALUE and sign not in {"*=", "*"}:
            # A container has no other operation with a number than "*".
            return [Access("count", left)]
        if sign.endswith("="):
            return [Access("change", left), Access("take", right)]
        if sign == "%":
            # Of a text, what it has a place for is written as a text, too.
            return [Access("look", left), Access("deep", right)]
        return [Access("look", left), Access("look", right)]

    def compare(self, one: dis.Instruction) -> list[Access]:
        right, left = self._pop(), self._pop()
        self._push(VALUE)
        if one.opname == "IS_OP":
            return []
        if one.opname == "CONTAINS_OP":
            return [Access("contains", right), Access("deep", left)]
        if any(is_plain(side) for side in (left, right)):
            return []
        return [Access("deep", left), Access("deep", right)]

    def truth(self, one: dis.Instruction) -> list[Access]:
        tested = self._pop()
        if one.opname in {"UNARY_NOT", "TO_BOOL"}:
            self._push(VALUE)
        return [] if tested == VALUE else [Access("look", tested)]

    def unary(self, one: dis.Instruction) -> list[Access]:
        del one
        self._pop()
        return self._push(None)

    def get_awaitable(self, one: dis.Instruction) -> list[Access]:
        awaited = self._pop()
        self._push(None)
        # 1 and 2 stand for what __aenter__ and __aexit__ returned.
        return [] if one.arg else [Access("await", awaited)]

    def answer(self, one: dis.Instruction) -> list[Access]:
        """Carry out what leaves True or False on top of what is not known."""
        del one
        self.forget()
        return self._push(VALUE)

    def pop_top(self, one: dis.Instruction) -> list[Access]:
        del one
        self._pop()
        return []

    def push_null(self, one: dis.Instruction) -> list[Access]:
        del one
        return self._push(NULL)

    def copy(self, one: dis.Instruction) -> list[Access]:
        depth = one.arg or 0
        return self._push(self.symbols[-depth] if depth <= len(self.symbols) else None)

    def swap(self, one: dis.Instruction) -> list[Access]:
        depth, symbols = one.arg or 0, self.symbols
        if depth > len(symbols):
            symbols[:0] = [None] * (depth - len(symbols))
        symbols[-1], symbols[-depth] = symbols[-depth], symbols[-1]
        return []
