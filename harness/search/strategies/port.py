"""A strategy of a search: what it must offer, and what most answer alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.search.subjects.attempt import Attempt

__all__ = ["PlainStrategy", "Strategy"]


class Strategy(Protocol):
    """Proposes runs, one after another. What it proposes for run n depends on n and its seed.

    What it needs to have watched is asked after ``begin``.
    """

    name: str

    @property
    def exhausted(self) -> bool:
        """True if it has no more runs to propose."""
        ...

    @property
    def locks(self) -> bool:
        """True if the holders of locks must be watched in the next run."""
        ...

    @property
    def watcher(self) -> StepWatcher | None:
        """Who looks on at each step of the next run."""
        ...

    def begin(self, run: int) -> OrderPolicy:
        """Return the policy of run ``run``, counted from 0."""
        ...

    def finish(self, found: Attempt) -> None:
        """Learn how that run ended."""
        ...

    @property
    def complete(self) -> bool:
        """True if it has proposed every order that there is, and so proves something."""
        ...

    @property
    def bound(self) -> int | None:
        """How many delays the orders that it proposes have at most; None if any number."""
        ...

    @property
    def same_seed(self) -> bool:
        """True if all runs must have one seed."""
        ...

    @property
    def parts(self) -> Sequence[Strategy]:
        """The strategies that it takes turns with, if it is made of others."""
        ...

    @property
    def current(self) -> Strategy:
        """The strategy that proposed the last run: itself, or one of its parts."""
        ...

    @property
    def depth(self) -> int | None:
        """The depth of the bugs for which its bound holds; None if it has no such bound."""
        ...

    @property
    def lanes(self) -> int:
        """The most lanes that it measured in a run, 0 if it measures none."""
        ...

    @property
    def horizon(self) -> int:
        """The most decisions that it measured in a run, 0 if it measures none."""
        ...

    def sentences(self) -> tuple[str, ...]:
        """Say what its runs prove, if it knows that itself."""
        ...

    def learned(self) -> dict[str, Any] | None:
        """Return in plain form what it knows between two runs; None if it can only begin again."""
        ...

    def remember(self, plain: Any, *, where: str) -> None:
        """Go on, before its first run, from what ``learned`` returned of another like it.

        Raises:
            BadInput: It is of another strategy, or damaged; the message begins with ``where``.
        """
        ...

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what ``learned`` returned; damage raises whatever it happens to raise."""
        ...


class PlainStrategy:
    """What most strategies answer: no bound, no parts, no proof, some numbers to remember.

    ``kept`` names the attributes that decide the runs to come, besides their numbers and the seed.
    """

    name: str
    kept: tuple[str, ...] = ()
    same_seed = False
    bound: int | None = None
    depth: int | None = None
    lanes = 0
    horizon = 0
    parts: Sequence[Strategy] = ()

    @property
    def complete(self) -> bool:
        """False: what is sampled is never all."""
        return False

    def sentences(self) -> tuple[str, ...]:
        """Say nothing: what samples proves nothing by itself."""
        return ()

    def learned(self) -> dict[str, Any] | None:
        """Return in plain form what it knows between two runs."""
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
