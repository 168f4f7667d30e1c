"""What callers of the API can get wrong, said in Python's terms and in one line."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.choices.randomness import SEED_MAX
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

__all__ = ["check_main", "check_seed", "in_python_terms", "is_whole"]

# Options of the command line whose arguments have other names.
_ARGUMENTS = {"time": "seconds"}
ADVICE = 'must be a coroutine function without arguments, such as "async def main():"'


def check_main(main: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Check that a main makes a coroutine when it is called.

    Raises:
        BadInput: It is a coroutine already, or something else that makes none.
    """
    if inspect.iscoroutine(main):
        main.close()
        raise BadInput(f"main: {ADVICE}, got a coroutine; give main, not main()")
    if not callable(main):
        raise BadInput(f"main: {ADVICE}, got {main!r}")
    function = main
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", repr(function))
    try:
        signature = inspect.signature(main)
    except (TypeError, ValueError):  # a callable that has none, such as a builtin
        return
    try:
        signature.bind()
    except TypeError as error:
        raise BadInput(
            f"main: {ADVICE}, got {name}{signature}; give functools.partial(...) with its arguments"
        ) from error
    if inspect.iscoroutinefunction(main) or not inspect.isfunction(function):
        return
    # A plain function may return a coroutine, as a lambda does; only a call can tell.
    try:
        made = main()
    except Exception as error:
        raise BadInput(f"main: {ADVICE}, got {name}, which raised {error!r}") from error
    if not inspect.iscoroutine(made):
        raise BadInput(f'main: {ADVICE}, got {name}, which is no "async def"')
    made.close()


def check_seed(seed: int) -> None:
    """Check that a seed is a whole number in range.

    Raises:
        BadInput: It is not.
    """
    if not is_whole(seed) or not 0 <= seed <= SEED_MAX:
        raise BadInput(f"seed: must be a whole number from 0 to {SEED_MAX}, got {seed!r}")


def is_whole(number: object) -> bool:
    """Return True for a whole number, which a bool is not here."""
    return isinstance(number, int) and not isinstance(number, bool)


@contextmanager
def in_python_terms() -> Iterator[None]:
    """Speak of arguments, as callers from Python know them, where the command line has options.

    Raises:
        BadInput: Raised inside, with ``seconds`` for ``--time``.
    """
    try:
        yield
    except BadInput as error:
        text = re.sub(r"--([a-z]+)", lambda found: _ARGUMENTS.get(found[1], found[1]), str(error))
        raise BadInput(text) from error
