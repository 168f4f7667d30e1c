"""The exceptions of the harness: one tree, and the exit code that goes with each branch."""

from __future__ import annotations

__all__ = [
    "BadInput",
    "CouldNotRun",
    "Deadlock",
    "FailureFound",
    "HarnessBug",
    "HarnessError",
    "NotAwaited",
    "NotDeterministic",
    "Terminated",
    "Unsupported",
]


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
    """The simulation has no faithful form of this; the message says what to use instead."""


class Deadlock(HarnessError):
    """Nothing is ready and nothing is scheduled while operations are unfinished."""


class FailureFound(HarnessError):
    """A program fails, though it may not raise; the message tells it in full.

    A search found the order in which it does, or an error of a task or a call was taken by nobody.
    """

    exit_code = 1


class NotAwaited(HarnessError):
    """An operation returned a coroutine or a future: what it stands for was not waited for."""


class NotDeterministic(HarnessError):
    """Two runs of one seed parted: something in them came from outside of it."""


class HarnessBug(HarnessError):
    """The harness broke its own rule: not the fault of the system under test."""


class Terminated(SystemExit):
    """Somebody ended this process: unlike a SystemExit that the system under test raises."""
