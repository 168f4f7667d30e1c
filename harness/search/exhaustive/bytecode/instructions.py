"""The table of instructions: which of the imagined stack's operations carries each of them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.exhaustive.bytecode.opcodes import (
    ANYTHING,
    FORMATS,
    HARMLESS,
    NOTHING,
    QUIET,
    READS_ANY,
    refuse_unknown,
)
from harness.search.exhaustive.bytecode.symbolic_stack import SymbolicStack
from harness.search.exhaustive.bytecode.symbols import aged, is_local, without

if TYPE_CHECKING:
    import dis
    from collections.abc import Callable

    from harness.search.exhaustive.bytecode.symbols import Access

__all__ = ["HANDLERS", "bound_by", "carried_out", "refuse_unknown_bytecode"]


def carried_out(stack: SymbolicStack, one: dis.Instruction) -> list[Access]:
    """Carry out an instruction; return what it touches."""
    before = stack.symbols.copy()
    touched = HANDLERS.get(one.opname, SymbolicStack.anything)(stack, one)
    if one.opname not in QUIET:
        # What still lies on the stack was found before code ran.
        for place, (symbol, now) in enumerate(zip(before, stack.symbols, strict=False)):
            if symbol is now:
                stack.symbols[place] = aged(symbol)
    stored = [name for name in bound_by(one) if is_local(name)]
    if stored:
        # What lies on the stack is what the names stood for before.
        stack.symbols = [without(symbol, stored) for symbol in stack.symbols]
    return touched


def bound_by(one: dis.Instruction) -> list[str]:
    """Return the names by which something else may be found after an instruction."""
    name = one.opname
    if name in {"STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR"}:
        return [f"local {one.argval}"]
    if name == "STORE_FAST_STORE_FAST":
        return [f"local {one}" for one in one.argval]
    if name == "STORE_FAST_LOAD_FAST":
        return [f"local {one.argval[0]}"]
    if name in {"STORE_DEREF", "DELETE_DEREF"}:
        return [f"cell {one.argval}"]
    if name in {"STORE_ATTR", "DELETE_ATTR", "STORE_GLOBAL", "DELETE_GLOBAL"}:
        return [f".{one.argval}"]
    changes = name == "BINARY_OP" and one.argrepr.endswith("=")
    return ["items"] if changes or name in _CHANGES else []


_CHANGES = frozenset({"DELETE_SUBSCR", "STORE_SLICE", "STORE_SUBSCR"})

HANDLERS: dict[str, Callable[[SymbolicStack, dis.Instruction], list[Access]]] = {
    **dict.fromkeys(NOTHING, SymbolicStack.nothing),
    **dict.fromkeys(HARMLESS, SymbolicStack.harmless),
    **dict.fromkeys(READS_ANY, SymbolicStack.reads_any),
    **dict.fromkeys(ANYTHING, SymbolicStack.anything),
    "CALL_INTRINSIC_1": SymbolicStack.intrinsic,
    "LOAD_FAST": SymbolicStack.load_fast,
    "LOAD_FAST_BORROW": SymbolicStack.load_fast,
    "LOAD_FAST_CHECK": SymbolicStack.load_fast,
    "LOAD_FAST_LOAD_FAST": SymbolicStack.load_two,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": SymbolicStack.load_two,
    "STORE_FAST": SymbolicStack.store_fast,
    "STORE_FAST_LOAD_FAST": SymbolicStack.store_fast,
    "STORE_FAST_STORE_FAST": SymbolicStack.store_fast,
    "LOAD_CONST": SymbolicStack.load_const,
    "LOAD_SMALL_INT": SymbolicStack.load_const,
    "LOAD_COMMON_CONSTANT": SymbolicStack.load_unknown,
    "LOAD_SPECIAL": SymbolicStack.load_special,
    "LOAD_GLOBAL": SymbolicStack.load_global,
    "LOAD_DEREF": SymbolicStack.load_deref,
    "LOAD_CLASSDEREF": SymbolicStack.load_deref,
    "LOAD_CLOSURE": SymbolicStack.load_unknown,
    "STORE_DEREF": SymbolicStack.store_deref,
    "DELETE_DEREF": SymbolicStack.store_deref,
    "STORE_GLOBAL": SymbolicStack.store_global,
    "DELETE_GLOBAL": SymbolicStack.store_global,
    "LOAD_ATTR": SymbolicStack.load_attr,
    "LOAD_METHOD": SymbolicStack.load_attr,
    "STORE_ATTR": SymbolicStack.store_attr,
    "DELETE_ATTR": SymbolicStack.delete_attr,
    **dict.fromkeys(FORMATS, SymbolicStack.formats),
    **dict.fromkeys(
        (
            "BUILD_CONST_KEY_MAP",
            "BUILD_LIST",
            "BUILD_MAP",
            "BUILD_SET",
            "BUILD_STRING",
            "BUILD_TUPLE",
        ),
        SymbolicStack.builds,
    ),
    **dict.fromkeys(("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE"), SymbolicStack.make_function),
    **dict.fromkeys(("LIST_APPEND", "MAP_ADD", "SET_ADD"), SymbolicStack.adds),
    **dict.fromkeys(
        ("DICT_MERGE", "DICT_UPDATE", "LIST_EXTEND", "SET_UPDATE"), SymbolicStack.takes_in
    ),
    **dict.fromkeys(("UNPACK_EX", "UNPACK_SEQUENCE"), SymbolicStack.unpacks),
    "BEFORE_WITH": SymbolicStack.enters,
    "CALL_FUNCTION_EX": SymbolicStack.call_with_any,
    "KW_NAMES": SymbolicStack.names_keywords,
    "LIST_TO_TUPLE": SymbolicStack.nothing,
    "MATCH_CLASS": SymbolicStack.matches_class,
    "CALL": SymbolicStack.call,
    "CALL_KW": SymbolicStack.call_with_keywords,
    "LOAD_SUPER_ATTR": SymbolicStack.load_super_attr,
    "GET_ITER": SymbolicStack.get_iter,
    "FOR_ITER": SymbolicStack.for_iter,
    "BUILD_SLICE": SymbolicStack.build_slice,
    "BINARY_SUBSCR": SymbolicStack.subscript,
    "BINARY_SLICE": SymbolicStack.subscript,
    "STORE_SUBSCR": SymbolicStack.store_subscr,
    "DELETE_SUBSCR": SymbolicStack.store_subscr,
    "STORE_SLICE": SymbolicStack.store_subscr,
    "BINARY_OP": SymbolicStack.binary_op,
    "COMPARE_OP": SymbolicStack.compare,
    "CONTAINS_OP": SymbolicStack.compare,
    "IS_OP": SymbolicStack.compare,
    "UNARY_NOT": SymbolicStack.truth,
    "TO_BOOL": SymbolicStack.truth,
    "POP_JUMP_IF_TRUE": SymbolicStack.truth,
    "POP_JUMP_IF_FALSE": SymbolicStack.truth,
    "POP_JUMP_FORWARD_IF_TRUE": SymbolicStack.truth,
    "POP_JUMP_FORWARD_IF_FALSE": SymbolicStack.truth,
    "POP_JUMP_BACKWARD_IF_TRUE": SymbolicStack.truth,
    "POP_JUMP_BACKWARD_IF_FALSE": SymbolicStack.truth,
    "JUMP_IF_TRUE_OR_POP": SymbolicStack.truth,
    "JUMP_IF_FALSE_OR_POP": SymbolicStack.truth,
    "UNARY_NEGATIVE": SymbolicStack.unary,
    "UNARY_POSITIVE": SymbolicStack.unary,
    "UNARY_INVERT": SymbolicStack.unary,
    "GET_AWAITABLE": SymbolicStack.get_awaitable,
    "CHECK_EXC_MATCH": SymbolicStack.answer,
    "WITH_EXCEPT_START": SymbolicStack.answer,
    "POP_TOP": SymbolicStack.pop_top,
    "PUSH_NULL": SymbolicStack.push_null,
    "COPY": SymbolicStack.copy,
    "SWAP": SymbolicStack.swap,
}


def refuse_unknown_bytecode() -> None:
    """Refuse a Python of which not every instruction is known.

    Raises:
        BadInput: It is one.
    """
    refuse_unknown(HANDLERS.keys())
