"""asyncio's own loop with a clock that jumps: what happens at which moment is the same every time.

For tests of what is said of any loop, the real one included, that need time to pass. Nothing of
asyncio is replaced but its waiting: where it would wait for its next timer, the clock is put there.
Not for a program whose threads or connections race with its timers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["run_jumping"]

T = TypeVar("T")


class JumpingLoop(asyncio.SelectorEventLoop):
    """A selector loop whose ``time()`` begins at 0 and moves only when nothing else is to do."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__()
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> list[Any]:
            if timeout is None:
                return list(select(None))
            events = list(select(0))
            self._now_s += 0.0 if events else timeout
            return events

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the seconds that the program has slept through."""
        return self._now_s


def run_jumping(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine as ``asyncio.run`` does, on such a loop."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)
