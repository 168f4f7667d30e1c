"""The instructions of CPython 3.11 to 3.14, in groups of which the search makes the same."""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "ANYTHING",
    "ENDS",
    "FORMATS",
    "FORWARDS",
    "HARMLESS",
    "INTRINSICS",
    "JUMPS",
    "NEWEST",
    "NOTHING",
    "QUIET",
    "READS_ANY",
    "REPLACED",
    "refuse_unknown",
]

# The newest CPython whose instructions were gone through, one by one.
NEWEST = (3, 14)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Nothing at all, the stack included.
NOTHING = _words("CACHE EXTENDED_ARG NOP NOT_TAKEN PRECALL RESUME")

# Nothing but the stack, and nothing of it that needs to be known afterwards.
HARMLESS = _words(
    """
    ASYNC_GEN_WRAP BEFORE_ASYNC_WITH BUILD_INTERPOLATION BUILD_TEMPLATE CALL_INTRINSIC_2
    CHECK_EG_MATCH CLEANUP_THROW COPY_FREE_VARS DELETE_FAST END_ASYNC_FOR END_FOR END_SEND
    EXIT_INIT_CHECK GET_AITER GET_ANEXT GET_YIELD_FROM_ITER INTERPRETER_EXIT JUMP_BACKWARD
    JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD LOAD_ASSERTION_ERROR LOAD_FAST_AND_CLEAR MAKE_CELL
    POP_EXCEPT POP_ITER POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE
    POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE
    PREP_RERAISE_STAR PUSH_EXC_INFO RAISE_VARARGS RERAISE RETURN_CONST RETURN_GENERATOR
    RETURN_VALUE SEND YIELD_VALUE
    """
)

# They run no code of anybody, and bind no name but locals.
QUIET = NOTHING | _words(
    """
    BUILD_LIST BUILD_SLICE BUILD_TUPLE COPY COPY_FREE_VARS DELETE_FAST IS_OP KW_NAMES
    LOAD_ASSERTION_ERROR LOAD_CLOSURE LOAD_COMMON_CONSTANT LOAD_CONST LOAD_DEREF LOAD_FAST
    LOAD_FAST_AND_CLEAR LOAD_FAST_BORROW LOAD_FAST_BORROW_LOAD_FAST_BORROW LOAD_FAST_CHECK
    LOAD_FAST_LOAD_FAST LOAD_GLOBAL LOAD_SMALL_INT MAKE_CELL MAKE_FUNCTION POP_TOP PUSH_NULL
    SET_FUNCTION_ATTRIBUTE STORE_FAST STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST SWAP
    """
)

# They read what lies in containers, or write it, and of which is not known.
READS_ANY = _words("GET_LEN MATCH_KEYS MATCH_MAPPING MATCH_SEQUENCE")
# What makes a text of a value, which may be a future.
FORMATS = _words("CONVERT_VALUE FORMAT_SIMPLE FORMAT_VALUE FORMAT_WITH_SPEC")

# Of CALL_INTRINSIC_1, which is many instructions in one, what touches nothing.
INTRINSICS = _words(
    """
    INTRINSIC_ASYNC_GEN_WRAP INTRINSIC_LIST_TO_TUPLE INTRINSIC_PARAMSPEC
    INTRINSIC_STOPITERATION_ERROR INTRINSIC_SUBSCRIPT_GENERIC INTRINSIC_TYPEALIAS
    INTRINSIC_TYPEVAR INTRINSIC_TYPEVARTUPLE INTRINSIC_UNARY_POSITIVE
    """
)

# Modules, bodies of classes and imports: they look names up in any mapping, or run any code.
ANYTHING = _words(
    """
    DELETE_NAME IMPORT_FROM IMPORT_NAME IMPORT_STAR LOAD_BUILD_CLASS LOAD_FROM_DICT_OR_DEREF
    LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS LOAD_NAME PRINT_EXPR SETUP_ANNOTATIONS STORE_NAME
    """
)

# What CPython puts in the place of others while it runs: ``co_code`` has the others.
REPLACED = _words(
    """
    ENTER_EXECUTOR INSTRUMENTED_CALL INSTRUMENTED_CALL_FUNCTION_EX INSTRUMENTED_CALL_KW
    INSTRUMENTED_END_ASYNC_FOR INSTRUMENTED_END_FOR INSTRUMENTED_END_SEND INSTRUMENTED_FOR_ITER
    INSTRUMENTED_INSTRUCTION INSTRUMENTED_JUMP_BACKWARD INSTRUMENTED_JUMP_FORWARD
    INSTRUMENTED_LINE INSTRUMENTED_LOAD_SUPER_ATTR INSTRUMENTED_NOT_TAKEN INSTRUMENTED_POP_ITER
    INSTRUMENTED_POP_JUMP_IF_FALSE INSTRUMENTED_POP_JUMP_IF_NONE
    INSTRUMENTED_POP_JUMP_IF_NOT_NONE INSTRUMENTED_POP_JUMP_IF_TRUE INSTRUMENTED_RESUME
    INSTRUMENTED_RETURN_CONST INSTRUMENTED_RETURN_VALUE INSTRUMENTED_YIELD_VALUE RESERVED
    """
)

# After these nothing goes on behind: the next instruction is reached in another way, if at all.
ENDS = _words("INTERPRETER_EXIT RAISE_VARARGS RERAISE RETURN_CONST RETURN_VALUE")
# After these it goes on elsewhere, always.
FORWARDS = _words("JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT JUMP_FORWARD")
# These may go on elsewhere, or do so always.
JUMPS = FORWARDS | _words(
    """
    FOR_ITER JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP POP_JUMP_BACKWARD_IF_FALSE
    POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_BACKWARD_IF_TRUE
    POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE
    POP_JUMP_FORWARD_IF_TRUE POP_JUMP_IF_FALSE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE
    POP_JUMP_IF_TRUE SEND
    """
)


def refuse_unknown(known: Collection[str]) -> None:
    """Refuse to read the bytecode of the Python that runs unless all of it is known.

    Args:
        known: The names of all instructions of which it is known what they do.

    Raises:
        BadInput: It is a Python of another kind, a newer one, or has an instruction that is not
            known. Read by guesses, it could hide that two steps touch the same thing.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    name = "CPython" if sys.implementation.name == "cpython" else sys.implementation.name
    # What does not fit into a byte is seen by the compiler only.
    fit = (one for one, number in dis.opmap.items() if number < 256)
    unknown = sorted(set(fit).difference(known, REPLACED))
    if name == "CPython" and sys.version_info[:2] <= NEWEST and not unknown:
        return
    what = f"{unknown[0]} of {name} {version}" if unknown else f"{name} {version}"
    newest = ".".join(map(str, NEWEST))
    raise BadInput(
        f"--strategy exhaustive: it reads the bytecode of CPython 3.11 to {newest}, and does not"
        f' know {what}; use "exhaustive:N", which reads none and runs every order of up to N delays'
    )
