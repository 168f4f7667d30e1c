"""A strategy of a search: what it must offer, and what most answer alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.search.subjects.attempt import Attempt

__all__ = ["Strategy"]


class Strategy(ABC):
    """Proposes runs, one after another. What it proposes for run n depends on n and its seed.

    ``exhausted``: it has no more runs to propose. ``locks`` and ``watcher``, asked after ``begin``:
    the holders of locks must be watched in the next run, and who looks on at each of its steps.
    ``same_seed``, asked then, too: the run must have the first run's seed. ``default_first``: its
    first run is the default order. ``parts`` are the strategies that it takes turns
    with. ``bound`` is how many delays its orders have at most, ``depth`` the depth of the bugs for
    which it has a bound; None for no bound. ``lanes`` and ``horizon`` are the most lanes and
    decisions of a run that it measured, 0 if it measures none. ``kept`` names the attributes that
    decide the runs to come, besides their numbers and the seed.
    """

    name: str
    kept: tuple[str, ...] = ()
    exhausted = False
    locks = False
    watcher: StepWatcher | None = None
    same_seed = False
    default_first = False
    bound: int | None = None
    depth: int | None = None
    lanes = 0
    horizon = 0
    parts: Sequence[Strategy] = ()

    @abstractmethod
    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of run ``run``, counted from 0."""

    def finish(self, found: Attempt) -> None:
        """Learn how that run ended; most learn nothing."""
        del found

    @property
    def current(self) -> Strategy:
        """The strategy that proposed the last run: itself, or one of its parts."""
        return self

    @property
    def proposed_by(self) -> str:
        """The name of whoever proposed the last run."""
        return self.current.name

    @property
    def complete(self) -> bool:
        """True if it has proposed every order that there is, and so proves something."""
        return False

    def sentences(self) -> tuple[str, ...]:
        """Say what its runs prove, if it knows that itself: samples prove nothing."""
        return ()

    def learned(self) -> dict[str, Any] | None:
        """Return in plain form what it knows between two runs; None if it can only begin again."""
        known = {name: getattr(self, name) for name in self.kept}
        return {name: list(one) if isinstance(one, list) else one for name, one in known.items()}

    def remember(self, plain: Any, *, where: str) -> None:
        """Go on, before its first run, from what ``learned`` returned of another like it.

        Raises:
            BadInput: It is of another strategy, or damaged; the message begins with ``where``.
        """
        try:
            self.restore(plain or {})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise BadInput(
                f"{where}: what {self.name} had learned must be as it was written,"
                f" got {error!r}; name another folder"
            ) from error

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what ``learned`` returned; damage raises whatever it happens to raise."""
        for name in self.kept:
            setattr(self, name, plain[name])
