"""What each instruction touches, found by carrying names along an imagined stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from harness.search.exhaustive.opcodes import (
    ANYTHING,
    FORMATS,
    HARMLESS,
    INTRINSICS,
    NOTHING,
    READS_ANY,
    refuse_unknown,
)

if TYPE_CHECKING:
    import dis
    from collections.abc import Callable

__all__ = ["EVERYTHING", "HANDLERS", "Access", "Symbol", "SymbolicStack", "refuse_unknown_bytecode"]

# Where a value came from: ("fast", name), ("deref", name), ("global", name), ("const", value),
# ("attr", symbol, name), ("result", callee); None where it is not known.
Symbol = tuple[Any, ...] | None


class Access(NamedTuple):
    """A touch by name: how, of the thing that a symbol stands for, and of which attribute."""

    how: str
    symbol: Symbol
    name: str = ""


# An instruction that is not known: it may do anything.
EVERYTHING = Access("everything", None)

_VALUE = ("value",)
_RANGE = ("range",)
_NULL = ("null",)

_BENIGN_DUNDERS = frozenset({
    "__init__", "__aenter__", "__aexit__", "__enter__", "__exit__", "__name__", "__qualname__",
    "__doc__", "__module__", "__post_init__", "__func__", "__self__", "__wrapped__",
    "__traceback__", "__context__", "__cause__",
})  # fmt: skip


class SymbolicStack:
    """Follows one code object instruction by instruction; where ways meet it knows nothing."""

    def __init__(self) -> None:
        self.symbols: list[Symbol] = []
        self._iterated: Symbol = None

    def forget(self) -> None:
        """Know nothing of what lies on the stack."""
        self.symbols.clear()

    def step(self, one: dis.Instruction) -> tuple[list[Access], list[str]]:
        """Carry out an instruction; return what it touches, and the locals that it sets."""
        handler = HANDLERS.get(one.opname, SymbolicStack._anything)
        return handler(self, one), _stored(one)

    def _nothing(self, one: dis.Instruction) -> list[Access]:
        del one
        return []

    def _harmless(self, one: dis.Instruction) -> list[Access]:
        del one
        self.forget()
        return []

    def _reads_any(self, one: dis.Instruction) -> list[Access]:
        self.forget()
        formats = [Access("await", None)] if one.opname in FORMATS else []
        return [Access("read", None), *formats]

    def _anything(self, one: dis.Instruction) -> list[Access]:
        del one
        self.forget()
        return [EVERYTHING]

    def _intrinsic(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.12 made one instruction of many."""
        self.forget()
        return [] if one.argrepr in INTRINSICS else [EVERYTHING]

    def _pop(self) -> Symbol:
        return self.symbols.pop() if self.symbols else None

    def _push(self, symbol: Symbol) -> list[Access]:
        self.symbols.append(symbol)
        return []

    def _store_fast(self, one: dis.Instruction) -> list[Access]:
        """Carry out STORE_FAST, and what CPython 3.13 makes of two instructions in a row."""
        self._pop()
        if one.opname == "STORE_FAST_STORE_FAST":
            self._pop()
        elif one.opname == "STORE_FAST_LOAD_FAST":
            self._push(("fast", one.argval[1]))
        return []

    def _load_two(self, one: dis.Instruction) -> list[Access]:
        for name in one.argval:
            self._push(("fast", name))
        return []

    def _load_fast(self, one: dis.Instruction) -> list[Access]:
        return self._push(("fast", one.argval))

    def _load_const(self, one: dis.Instruction) -> list[Access]:
        return self._push(("const", one.argval))

    def _load_global(self, one: dis.Instruction) -> list[Access]:
        if (one.arg or 0) & 1:
            self._push(_NULL)
        self._push(("global", one.argval))
        return [Access("read attribute", None, one.argval)]

    def _load_deref(self, one: dis.Instruction) -> list[Access]:
        self._push(("deref", one.argval))
        return [Access("read cell", None, one.argval)]

    def _load_unknown(self, one: dis.Instruction) -> list[Access]:
        del one
        return self._push(None)

    def _load_special(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.14 made of ``with``: a method, and what it belongs to."""
        del one
        self._pop()
        self._push(None)
        return self._push(None)

    def _store_deref(self, one: dis.Instruction) -> list[Access]:
        if one.opname == "STORE_DEREF":
            self._pop()
        return [Access("write cell", None, one.argval)]

    def _store_global(self, one: dis.Instruction) -> list[Access]:
        if one.opname == "STORE_GLOBAL":
            self._pop()
        return [Access("write attribute", None, one.argval)]

    def _load_attr(self, one: dis.Instruction) -> list[Access]:
        owner = self._pop()
        found = ("attr", owner, one.argval) if owner is not None else None
        method = one.opname == "LOAD_METHOD" or " + " in (one.argrepr or "")
        if method:
            self._push(found)
            self._push(owner)
        else:
            self._push(found)
        return [_attribute("read attribute", owner, one.argval)]

    def _store_attr(self, one: dis.Instruction) -> list[Access]:
        owner = self._pop()
        self._pop()
        return [_attribute("write attribute", owner, one.argval)]

    def _delete_attr(self, one: dis.Instruction) -> list[Access]:
        return [_attribute("write attribute", self._pop(), one.argval)]

    def _call(self, one: dis.Instruction) -> list[Access]:
        # A loop that follows goes over what the call returns: a generator, on CPython 3.14.
        self._iterated = None
        arguments = [self._pop() for _ in range(one.arg or 0)]
        upper, lower = self._pop(), self._pop()
        callee = upper if lower == _NULL else lower
        if callee == ("global", "range"):
            self._push(_RANGE)
            return []
        self._push(("result", callee) if callee is not None else None)
        plain = all(one is not None and one[0] == "const" for one in arguments)
        return [Access("call", callee, "" if plain else "arguments")]

    def _call_with_keywords(self, one: dis.Instruction) -> list[Access]:
        """Carry out CPython 3.13's call whose topmost value names the last arguments."""
        self._pop()
        return self._call(one)

    def _load_super_attr(self, one: dis.Instruction) -> list[Access]:
        """Carry out what CPython 3.12 made of a call of ``super`` and LOAD_ATTR."""
        for _ in range(3):
            self._pop()
        self._push(None)
        if (one.arg or 0) & 1:
            self._push(None)
        return [_attribute("read attribute", None, one.argval)]

    def _get_iter(self, one: dis.Instruction) -> list[Access]:
        del one
        self._iterated = self._pop()
        self._push(None)
        return [] if self._iterated == _RANGE else [Access("iterate", self._iterated)]

    def _for_iter(self, one: dis.Instruction) -> list[Access]:
        del one
        source, self._iterated = self._iterated, None
        self.forget()
        return [] if source == _RANGE else [Access("iterate", source)]

    def _build_slice(self, one: dis.Instruction) -> list[Access]:
        for _ in range(one.arg or 0):
            self._pop()
        return self._push(None)

    def _subscript(self, one: dis.Instruction) -> list[Access]:
        for _ in range(2 if one.opname == "BINARY_SLICE" else 1):
            self._pop()
        owner = self._pop()
        self._push(None)
        return [Access("read", owner)]

    def _store_subscr(self, one: dis.Instruction) -> list[Access]:
        for _ in range(2 if one.opname == "STORE_SLICE" else 1):
            self._pop()
        owner = self._pop()
        if one.opname != "DELETE_SUBSCR":
            self._pop()
        return [Access("write", owner)]

    def _binary_op(self, one: dis.Instruction) -> list[Access]:
        if one.argrepr == "[]":
            # An instruction of its own before CPython 3.14.
            return self._subscript(one)
        right, left = self._pop(), self._pop()
        sign = one.argrepr or "="
        number = right is not None and right[0] == "const" and isinstance(right[1], (int, float))
        self._push(_VALUE if number else None)
        if number and sign not in {"*=", "*"}:
            # A container has no other operation with a number than "*".
            return []
        if sign.endswith("="):
            return [Access("change", left), Access("look", right)]
        return [Access("look", left), Access("look", right)]

    def _compare(self, one: dis.Instruction) -> list[Access]:
        right, left = self._pop(), self._pop()
        self._push(_VALUE)
        if one.opname == "IS_OP":
            return []
        if one.opname == "CONTAINS_OP":
            return [Access("read", right)]
        if any(side is not None and side[0] == "const" for side in (left, right)):
            return []
        return [Access("look", left), Access("look", right)]

    def _truth(self, one: dis.Instruction) -> list[Access]:
        tested = self._pop()
        if one.opname in {"UNARY_NOT", "TO_BOOL"}:
            self._push(_VALUE)
        return [] if tested == _VALUE else [Access("look", tested)]

    def _unary(self, one: dis.Instruction) -> list[Access]:
        del one
        self._pop()
        return self._push(None)

    def _get_awaitable(self, one: dis.Instruction) -> list[Access]:
        awaited = self._pop()
        self._push(None)
        # 1 and 2 stand for what __aenter__ and __aexit__ returned.
        return [] if one.arg else [Access("await", awaited)]

    def _answer(self, one: dis.Instruction) -> list[Access]:
        """Carry out what leaves True or False on top of what is not known."""
        del one
        self.forget()
        return self._push(_VALUE)

    def _pop_top(self, one: dis.Instruction) -> list[Access]:
        del one
        self._pop()
        return []

    def _push_null(self, one: dis.Instruction) -> list[Access]:
        del one
        return self._push(_NULL)

    def _copy(self, one: dis.Instruction) -> list[Access]:
        depth = one.arg or 0
        return self._push(self.symbols[-depth] if depth <= len(self.symbols) else None)

    def _swap(self, one: dis.Instruction) -> list[Access]:
        depth, symbols = one.arg or 0, self.symbols
        if depth > len(symbols):
            symbols[:0] = [None] * (depth - len(symbols))
        symbols[-1], symbols[-depth] = symbols[-depth], symbols[-1]
        return []


def _attribute(how: str, owner: Symbol, name: str) -> Access:
    if name.startswith("__") and name.endswith("__") and name not in _BENIGN_DUNDERS:
        # __setattr__, __setitem__, __dict__ and their like reach around all names.
        return EVERYTHING
    return Access(how, owner, name)


def _stored(one: dis.Instruction) -> list[str]:
    """Return the locals that an instruction sets, or takes away."""
    if one.opname in {"STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR"}:
        return [one.argval]
    if one.opname == "STORE_FAST_STORE_FAST":
        return list(one.argval)
    return [one.argval[0]] if one.opname == "STORE_FAST_LOAD_FAST" else []


HANDLERS: dict[str, Callable[[SymbolicStack, dis.Instruction], list[Access]]] = {
    **dict.fromkeys(NOTHING, SymbolicStack._nothing),
    **dict.fromkeys(HARMLESS, SymbolicStack._harmless),
    **dict.fromkeys(READS_ANY, SymbolicStack._reads_any),
    **dict.fromkeys(ANYTHING, SymbolicStack._anything),
    "CALL_INTRINSIC_1": SymbolicStack._intrinsic,
    "LOAD_FAST": SymbolicStack._load_fast,
    "LOAD_FAST_BORROW": SymbolicStack._load_fast,
    "LOAD_FAST_CHECK": SymbolicStack._load_fast,
    "LOAD_FAST_LOAD_FAST": SymbolicStack._load_two,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": SymbolicStack._load_two,
    "STORE_FAST": SymbolicStack._store_fast,
    "STORE_FAST_LOAD_FAST": SymbolicStack._store_fast,
    "STORE_FAST_STORE_FAST": SymbolicStack._store_fast,
    "LOAD_CONST": SymbolicStack._load_const,
    "LOAD_SMALL_INT": SymbolicStack._load_const,
    "LOAD_COMMON_CONSTANT": SymbolicStack._load_unknown,
    "LOAD_SPECIAL": SymbolicStack._load_special,
    "LOAD_GLOBAL": SymbolicStack._load_global,
    "LOAD_DEREF": SymbolicStack._load_deref,
    "LOAD_CLASSDEREF": SymbolicStack._load_deref,
    "LOAD_CLOSURE": SymbolicStack._load_unknown,
    "STORE_DEREF": SymbolicStack._store_deref,
    "DELETE_DEREF": SymbolicStack._store_deref,
    "STORE_GLOBAL": SymbolicStack._store_global,
    "DELETE_GLOBAL": SymbolicStack._store_global,
    "LOAD_ATTR": SymbolicStack._load_attr,
    "LOAD_METHOD": SymbolicStack._load_attr,
    "STORE_ATTR": SymbolicStack._store_attr,
    "DELETE_ATTR": SymbolicStack._delete_attr,
    "CALL": SymbolicStack._call,
    "CALL_KW": SymbolicStack._call_with_keywords,
    "LOAD_SUPER_ATTR": SymbolicStack._load_super_attr,
    "GET_ITER": SymbolicStack._get_iter,
    "FOR_ITER": SymbolicStack._for_iter,
    "BUILD_SLICE": SymbolicStack._build_slice,
    "BINARY_SUBSCR": SymbolicStack._subscript,
    "BINARY_SLICE": SymbolicStack._subscript,
    "STORE_SUBSCR": SymbolicStack._store_subscr,
    "DELETE_SUBSCR": SymbolicStack._store_subscr,
    "STORE_SLICE": SymbolicStack._store_subscr,
    "BINARY_OP": SymbolicStack._binary_op,
    "COMPARE_OP": SymbolicStack._compare,
    "CONTAINS_OP": SymbolicStack._compare,
    "IS_OP": SymbolicStack._compare,
    "UNARY_NOT": SymbolicStack._truth,
    "TO_BOOL": SymbolicStack._truth,
    "POP_JUMP_IF_TRUE": SymbolicStack._truth,
    "POP_JUMP_IF_FALSE": SymbolicStack._truth,
    "POP_JUMP_FORWARD_IF_TRUE": SymbolicStack._truth,
    "POP_JUMP_FORWARD_IF_FALSE": SymbolicStack._truth,
    "POP_JUMP_BACKWARD_IF_TRUE": SymbolicStack._truth,
    "POP_JUMP_BACKWARD_IF_FALSE": SymbolicStack._truth,
    "JUMP_IF_TRUE_OR_POP": SymbolicStack._truth,
    "JUMP_IF_FALSE_OR_POP": SymbolicStack._truth,
    "UNARY_NEGATIVE": SymbolicStack._unary,
    "UNARY_POSITIVE": SymbolicStack._unary,
    "UNARY_INVERT": SymbolicStack._unary,
    "GET_AWAITABLE": SymbolicStack._get_awaitable,
    "CHECK_EXC_MATCH": SymbolicStack._answer,
    "WITH_EXCEPT_START": SymbolicStack._answer,
    "POP_TOP": SymbolicStack._pop_top,
    "PUSH_NULL": SymbolicStack._push_null,
    "COPY": SymbolicStack._copy,
    "SWAP": SymbolicStack._swap,
}


def refuse_unknown_bytecode() -> None:
    """Refuse a Python of which not every instruction is known.

    Raises:
        BadInput: It is one.
    """
    refuse_unknown(HANDLERS.keys())
