"""The port of whoever cancels operations and tasks by choice, as a run needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["Cancels"]


class Cancels(Protocol):
    """Cancels an operation that is under way, or a task of the system itself, where it chooses."""

    def operating(self, on_cancel: Callable[[], None]) -> AbstractContextManager[None]:
        """Let the running task be cancelled inside; ``on_cancel`` is called before it is."""
        ...

    def stop(self) -> None:
        """Cancel nobody any more."""
        ...
