"""What a check is: its parameters, its function, and when it can be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.checks.parameters import Parameters
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["CheckKind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckKind:
    """A check: its name, its parameters' model, its function, and when it can be made.

    ``timed``: it rests on the profile's latencies, so it means nothing in a search, which stretches
    them and reorders tasks. ``timed_by_delays``: likewise, where the scenario has fixed delays.
    ``faultless``: it rests on calls that succeed, so it means nothing in a run with faults or
    cancellations. ``under_faults`` gives the parameters that hold in a search with faults, from the
    seconds that an operation then has; None leaves the check out.
    ``with_less_work``: it holds for a sound system however little of a scenario is carried out.
    ``is_judgeable``: whether a history holds what the check judges; if not, it is not made.
    """

    name: str
    parameters: type[Parameters]
    check: Callable[[History, Any], CheckResult]
    timed: bool = False
    timed_by_delays: bool = False
    faultless: bool = False
    under_faults: Callable[[Any, float], Any | None] = lambda parameters, _within_s: parameters
    with_less_work: bool = False
    is_judgeable: Callable[[History], bool] = lambda _history: True
