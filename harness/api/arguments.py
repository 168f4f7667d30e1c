"""What callers of the API can get wrong, said in Python's terms and in one line."""

from __future__ import annotations

import inspect
import re
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.choices.randomness import SEED_MAX
from harness.errors import BadInput
from harness.scenario.words import resembling
from harness.simulated.left_behind import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator

__all__ = [
    "check_main",
    "check_seed",
    "check_steps",
    "in_python_terms",
    "is_whole",
    "leaks_judged",
]

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
    if inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(main):
        raise BadInput(
            f"main: {ADVICE}, got {name}, an asynchronous generator; leave its yield out"
        )
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


LEAKS = "leaks"


def leaks_judged(allow: Collection[str], *others: str) -> frozenset[str]:
    """Return which kinds of what a program leaves behind are failures, without those allowed.

    ``others`` are further names that may be allowed here.

    Raises:
        BadInput: ``allow`` is no collection of known names.
    """
    known = (LEAKS, *sorted(KINDS), *others)
    if isinstance(allow, str) or not isinstance(allow, (list, tuple, set, frozenset)):
        raise BadInput(f'allow: must be a list of names, such as ["{LEAKS}"], got {allow!r}')
    for name in allow:
        if name not in known:
            close = resembling(str(name), known)
            hint = f"did you mean {close}?" if close else f"known: {', '.join(known)}"
            raise BadInput(f"allow: there is no {name!r}; {hint}")
    return frozenset() if LEAKS in allow else KINDS - frozenset(allow)


def check_seed(seed: int) -> None:
    """Check that a seed is a whole number in range.

    Raises:
        BadInput: It is not.
    """
    if not is_whole(seed) or not 0 <= seed <= SEED_MAX:
        raise BadInput(f"seed: must be a whole number from 0 to {SEED_MAX}, got {seed!r}")


def check_steps(steps_max: int | None) -> None:
    """Check a limit of steps.

    Raises:
        BadInput: It is no whole number from 1 on.
    """
    if steps_max is not None and not (is_whole(steps_max) and steps_max >= 1):
        raise BadInput(
            f"steps_max: must be at least 1, and whole, got {steps_max!r}; leave it out for the"
            " default"
        )


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
