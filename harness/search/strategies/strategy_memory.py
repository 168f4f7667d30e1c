"""Own what a strategy has learned, in plain form: a search that was cut short goes on with it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.choices.kinds import ChoiceKind
from harness.errors import BadInput
from harness.search.failures.tape import Deviation
from harness.search.strategies.awaits import EachAwait
from harness.search.strategies.portfolio import Portfolio
from harness.search.strategies.strategies import (
    DefaultOrder,
    Delays,
    HoldersLast,
    PartialOrderSampling,
    PriorityChanges,
    RandomWalk,
)

if TYPE_CHECKING:
    from harness.search.strategies.strategies import Strategy

__all__ = ["learned", "remember"]


@runtime_checkable
class _Enumerating(Protocol):
    """A strategy with more to remember than some numbers: it knows its plain form itself."""

    def learned(self) -> dict[str, Any]: ...

    def remember(self, plain: Any, *, where: str) -> None: ...


# All that decides the runs to come besides their numbers and the seed.
_LEARNED: dict[type, tuple[str, ...]] = {
    DefaultOrder: ("exhausted",),
    Delays: ("horizon",),
    HoldersLast: (),
    PartialOrderSampling: (),
    PriorityChanges: ("deeper", "horizon", "lanes", "recent"),
    RandomWalk: (),
}


def learned(strategy: Strategy) -> dict[str, Any] | None:
    """Return what a strategy knows between two runs; None if that is too much to be kept."""
    if isinstance(strategy, _Enumerating):
        return strategy.learned()
    if isinstance(strategy, Portfolio):
        of = {one.name: learned(one) for one in _members(strategy)}
        return {"counts": dict(strategy.counts), "of": of}
    if isinstance(strategy, EachAwait):
        delays = strategy.delays
        return {
            "delays": None if delays is None else [[list(one) for one in each] for each in delays]
        }
    names = _LEARNED.get(type(strategy))
    if names is None:
        return None
    known = {name: getattr(strategy, name) for name in names}
    return {name: list(one) if isinstance(one, list) else one for name, one in known.items()}


def remember(strategy: Strategy, memory: dict[str, Any] | None, *, where: str = "--resume") -> None:
    """Give a fresh strategy what ``learned`` returned of another like it.

    Raises:
        BadInput: It is of another strategy, or damaged; the message begins with ``where``.
    """
    if isinstance(strategy, _Enumerating):
        strategy.remember(memory, where=f"{where}: learned")
        return
    try:
        _remember(strategy, memory or {})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"{where}: what {strategy.name} had learned must be as it was written,"
            f" got {error!r}; name another folder"
        ) from error


def _remember(strategy: Strategy, memory: dict[str, Any]) -> None:
    if isinstance(strategy, Portfolio):
        strategy.counts.update(memory["counts"])
        for one in _members(strategy):
            _remember(one, memory["of"][one.name])
    elif isinstance(strategy, EachAwait):
        if memory["delays"] is not None:
            strategy.delays = deque(tuple(map(_deviation, each)) for each in memory["delays"])
            strategy.exhausted = not strategy.delays
    else:
        for name in _LEARNED[type(strategy)]:
            setattr(strategy, name, memory[name])


def _members(portfolio: Portfolio) -> tuple[Strategy, ...]:
    return (portfolio.default, *dict.fromkeys(portfolio.parts))


def _deviation(plain: list[Any]) -> Deviation:
    kind, where, nth, value = plain
    return Deviation(ChoiceKind(kind), where, nth, value)
