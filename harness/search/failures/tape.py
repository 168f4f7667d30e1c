"""The tape of a run: in what the run differs from the default."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from harness.choices.kinds import ChoiceKind  # noqa: TC001 - a NamedTuple's annotations are read

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Deviation", "Tape"]


class Deviation(NamedTuple):
    """One way in which a run differs from the default.

    An ORDER deviation says that step ``nth`` (from 0) of the lane ``where`` is overtaken ``value``
    times before it runs. Any other says that the ``nth`` choice of its kind and label ``where`` is
    ``value``. Neither is a position in the run, so it means the same when others are taken away.
    """

    kind: ChoiceKind
    where: str
    nth: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """All that decides a run besides the program: the seed, and the deviations from the default.

    ``schedule`` is in the order in which the deviations took place.
    """

    seed: int
    schedule: tuple[Deviation, ...] = ()
    _by_key: dict[tuple[ChoiceKind, str, int], int] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        self._by_key.update({one[:3]: one.value for one in self.schedule})

    def value_of(self, kind: ChoiceKind, where: str, nth: int) -> int:
        """Return what the tape says of a choice; 0, the default, if it says nothing."""
        return self._by_key.get((kind, where, nth), 0)

    def with_deviations(self, schedule: Iterable[Deviation]) -> Tape:
        """Return a tape with these deviations in place of its own."""
        return replace(self, schedule=tuple(schedule))
