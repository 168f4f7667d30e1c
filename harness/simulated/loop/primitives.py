"""The few operations of the core that only C code makes fast, as plain Python has them.

Compiled, ``turning.py`` takes those of the same names from ``primitives.pxd``, and never this file.
"""

from __future__ import annotations

import functools
from array import array
from heapq import heappop, heappush
from typing import Any

__all__ = ["COMPILED", "note_moment", "note_step", "pop", "push", "run", "run_in"]

COMPILED = False

push = heappush
pop = heappop
note_step = array.append
note_moment = array.append


def spread(take: Any) -> Any:
    def call_soon(*call: Any, context: Any = None) -> Any:
        if not call:
            raise TypeError("call_soon() missing 1 required positional argument: 'callback'")
        return take(call, context)

    return call_soon


maker = functools.partial


def run_in(context: Any, call: tuple[Any, ...]) -> None:
    context.run(*call)


def run(context: Any, call: tuple[Any, ...], steps: Any, number: Any) -> None:
    note_step(steps, context.get(number, 0))
    context.run(*call)
