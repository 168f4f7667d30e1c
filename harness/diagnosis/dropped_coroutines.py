"""Coroutines that a program made and never awaited, kept instead of warned of."""

from __future__ import annotations

import gc
import sys
import warnings
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import is_program, part_of_code
from harness.diagnosis.places import place_of
from harness.history.parts import Part
from harness.history.records import Leak
from harness.processes.patches import Patches

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CoroutineType

__all__ = ["DroppedCoroutines"]

_HOOK = "_warn_unawaited_coroutine"
_KEPT_MAX = 100


class DroppedCoroutines:
    """Keeps, while open, what Python would warn of: ``coroutine … was never awaited``.

    Python reports a coroutine when its last reference goes, which for a call whose await was
    forgotten is at that very line. A coroutine that the garbage collector finds may come from an
    earlier run: Python warns of it as always.
    """

    def __init__(self) -> None:
        self.found: list[Leak] = []
        self._collecting = False
        self._patches = Patches(self)
        self._original: Callable[[Any], None] | None = None

    def __enter__(self) -> DroppedCoroutines:
        self._patches.open()
        self._original = getattr(warnings, _HOOK)
        self._patches.replace(warnings, _HOOK, self._dropped)
        gc.callbacks.append(self._collects)
        self._patches.on_close(gc.callbacks.remove, self._collects)
        return self

    def __exit__(self, *_error: object) -> None:
        self._patches.close()

    def _collects(self, phase: str, _info: dict[str, int]) -> None:
        if self._patches.acts():
            self._collecting = phase == "start"

    def _dropped(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        code, frame = coroutine.cr_code, sys._getframe(1)
        # Coroutines of asyncio, such as a sleep, count if it is the program that dropped them.
        theirs = is_program(frame) or part_of_code(code) is Part.PROGRAM
        if self._collecting or not theirs or not self._patches.acts():
            if self._original is not None:
                self._original(coroutine)
            return
        if len(self.found) < _KEPT_MAX:
            self.found.append(
                Leak(
                    kind="coroutine",
                    name=coroutine.__qualname__,
                    made_at=place_of(frame.f_code, frame.f_lineno),
                    where=place_of(code, code.co_firstlineno),
                )
            )
