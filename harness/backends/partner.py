"""The port of a partner: what a service under test talks to, simulated or real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from harness.backends.port import World

__all__ = ["LivePartner", "Partner"]


class LivePartner(Protocol):
    """A partner that runs for real, and can be reached at one address."""

    @property
    def versions(self) -> dict[str, str]:
        """What takes part, with its version."""
        ...

    @property
    def endpoint(self) -> str:
        """Where it listens, as ``http://host:port``."""
        ...

    def clients(self, endpoint: str) -> Any:
        """Make a factory of clients that talk to the partner through an endpoint."""
        ...

    def logs(self, tail: int) -> str:
        """Return the last lines of its log, or a line that says why there is none."""
        ...

    def cpu_s(self) -> float | None:
        """CPU seconds that it has used on this machine so far, or None if they are not known."""
        ...

    def check_alive(self) -> None:
        """Ask whether it still answers.

        Raises:
            CouldNotRun: It does not.
        """
        ...


class Partner(Protocol):
    """Makes what a service talks to. A Miden node is the first: ``harness.miden.partner``."""

    def check(self) -> None:
        """See that what it always needs is installed, before anything is run.

        Raises:
            BadInput: It is not; the message begins with "system: ".
        """
        ...

    def simulate(self, label: str, *, seed: int, paired: bool, profile: Any = None) -> World:
        """Make a simulated world, inside a run.

        Its draws depend on the seed, and on its label unless it is paired: all users of a paired
        world have the same latencies. ``profile`` holds the figures of a latency profile, None for
        the nominal one.
        """
        ...

    def start(self, progress: Callable[[str], None]) -> AbstractContextManager[LivePartner]:
        """Start the real partner, or use one that runs; leaving gives it back.

        Raises:
            CouldNotRun: Something that it needs is missing.
        """
        ...
