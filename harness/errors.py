"""The exceptions of the harness: one tree, and the exit code that goes with each branch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "BadInput",
    "CouldNotRun",
    "Deadlock",
    "FailureFound",
    "HarnessBug",
    "HarnessError",
    "HealthCheckFailed",
    "LimitReached",
    "NotAwaited",
    "NotDeterministic",
    "Terminated",
    "Unsupported",
    "readable",
]


def readable(error: BaseException, form: Callable[[object], str] = repr) -> str:
    """Put an error into words, even one whose own ``__repr__`` or ``__str__`` raises."""
    try:
        return form(error)
    except Exception as broken:  # noqa: BLE001 - it may raise anything
        return f"{type(error).__qualname__} (unreadable: {type(broken).__name__})"


class HarnessError(Exception):
    """The root of all that the harness raises on purpose."""

    exit_code = 3


class BadInput(HarnessError):
    """A scenario file or an argument that breaks a rule: the message says where, and the fix."""

    exit_code = 2


class CouldNotRun(HarnessError):
    """Something outside the scenario is missing: Docker, a node, the native client."""

    exit_code = 3


class Unsupported(HarnessError):
    """The simulation has no faithful form of this; the message says what to use instead.

    Who runs a program is told of each where it is made: the program may catch it, or wrap it in an
    error of its own, and goes on otherwise than it would in production.
    """

    _listeners: ClassVar[list[Callable[[str], None]]] = []

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        for tell in self._listeners:
            tell(message)

    @classmethod
    @contextmanager
    def told_to(cls, listener: Callable[[str], None]) -> Iterator[None]:
        """Tell a listener of what is refused inside."""
        cls._listeners.append(listener)
        try:
            yield
        finally:
            cls._listeners.remove(listener)


class Deadlock(HarnessError):
    """Nothing is ready and nothing is scheduled while operations are unfinished."""


class LimitReached(HarnessError):
    """A run was ended at a limit: it is not known what it would have come to."""


class FailureFound(HarnessError):
    """A program fails, though it may not raise; the message tells it in full.

    A search found the order in which it does, or an error of a task or a call was taken by nobody.
    """

    exit_code = 1


class HealthCheckFailed(HarnessError):
    """A search found no failure and shows nothing: the message names the health check."""


class NotAwaited(HarnessError):
    """An operation returned a coroutine or a future: what it stands for was not waited for."""


class NotDeterministic(HarnessError):
    """Two runs of one seed parted: something in them came from outside of it."""


class HarnessBug(HarnessError):
    """The harness broke its own rule: not the fault of the system under test."""


class Terminated(SystemExit):
    """Somebody ended this process: unlike a SystemExit that the system under test raises."""
