"""The table of instructions: which of the imagined stack's operations carries each of them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.search.exhaustive.observation.opcodes import (
    ANYTHING,
    FORMATS,
    HARMLESS,
    NOTHING,
    READS_ANY,
    refuse_unknown,
)
from harness.search.exhaustive.observation.symbolic_stack import SymbolicStack
from harness.search.exhaustive.observation.symbols import without

if TYPE_CHECKING:
    import dis
    from collections.abc import Callable

    from harness.search.exhaustive.observation.symbols import Access

__all__ = ["HANDLERS", "carried_out", "refuse_unknown_bytecode"]


def carried_out(stack: SymbolicStack, one: dis.Instruction) -> tuple[list[Access], list[str]]:
    """Carry out an instruction; return what it touches, and the locals that it sets."""
    handler = HANDLERS.get(one.opname, SymbolicStack.anything)
    touched, stored = handler(stack, one), _stored(one)
    if stored:
        # What lies on the stack is what the names stood for before.
        stack.symbols = [without(symbol, stored) for symbol in stack.symbols]
    return touched, stored


def _stored(one: dis.Instruction) -> list[str]:
    """Return the locals that an instruction sets, or takes away."""
    if one.opname in {"STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR"}:
        return [one.argval]
    if one.opname == "STORE_FAST_STORE_FAST":
        return list(one.argval)
    return [one.argval[0]] if one.opname == "STORE_FAST_LOAD_FAST" else []


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
