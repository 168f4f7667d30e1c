"""What a search gives a run: who decides its order, and who watches its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.kinds import ChoiceKind

__all__ = ["Arriving", "Lane", "OrderPolicy", "StepWatcher", "WatchedLoop"]


class Lane(Protocol):
    """Something that can run next: a callback of a task, or an event from outside."""

    @property
    def lane(self) -> int:
        """Its number; callbacks that no program can tell apart have -1."""
        ...


class Arriving(Lane, Protocol):
    """Something that comes from outside the loop."""

    @property
    def label(self) -> str:
        """What it is, for the reader of a schedule."""
        ...


class OrderPolicy(Protocol):
    """Decides the order of a run; as a ``Chooser`` it decides all other choices too."""

    def order(self, options: Sequence[Lane]) -> int:
        """Choose what runs next: an index into ``options``; 0 is asyncio's own order."""
        ...

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose one of ``count`` alternatives, see ``Chooser``."""
        ...


class WatchedLoop(Protocol):
    """A loop, as far as whoever watches its steps needs it."""

    adversarial: bool
    # All that were made so far, in that order; None in the place of one that is gone.
    made_tasks: Any

    @property
    def ready(self) -> Sequence[Any]:
        """The callbacks that are ready, in the loop's order."""
        ...

    def lane_name(self, lane: int) -> str:
        """Name a lane; the names are the same in all runs of a program."""
        ...

    def time(self) -> float:
        """Return the moment, in virtual seconds."""
        ...


class StepWatcher:
    """Sees every step of a run, to record it; this one takes note of nothing.

    ``needs_loop`` says that it asks its loop also when the run is over: then the loop cannot serve
    the next run.
    """

    needs_loop = True

    def bind(self, loop: WatchedLoop) -> None:
        """Take the loop that is to run."""

    def begins(self, handle: Any, overtaken: Sequence[Lane]) -> None:
        """Note that a callback is about to run, ahead of the lanes that it has overtaken."""

    def arrives(self, arrival: Arriving, overtaken: Sequence[Arriving]) -> None:
        """Note that a latency is over: what comes from outside, and what it has overtaken."""

    def ended(self, handle: Any) -> None:
        """Note that a callback has run."""

    def skipped(self, handle: Any) -> None:
        """Note a callback whose turn it would be, had it not been cancelled (adversarial only)."""

    def chosen(self, what: str) -> None:
        """Note, in words, a choice other than the default that is no order of ready callbacks."""
