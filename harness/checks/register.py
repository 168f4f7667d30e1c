"""The register of checks: each is a pure function of a history and its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.checks import (
    always,
    distinct_results,
    elapsed,
    end_state,
    ends_before,
    eventually,
    latency,
    linearizable,
    no_blocking_calls,
    no_deadlock,
    no_leaks,
    no_lock_across_await,
    outcomes,
    overlap,
    peak_in_flight,
    result,
    same_result,
    sees_exactly_own,
    single_spawn,
    sometimes,
    speedup,
    success_share,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.checks.parameters import Parameters
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["ALWAYS_ON", "CHECKS", "RENAMED", "CheckKind", "ResolvedCheck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckKind:
    """A check: its name, its parameters' model, its function, and when it can be made.

    ``always_on``: it is made even if a scenario does not list it.
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
    always_on: bool = False
    timed: bool = False
    timed_by_delays: bool = False
    faultless: bool = False
    under_faults: Callable[[Any, float], Any | None] = lambda parameters, _within_s: parameters
    with_less_work: bool = False
    is_judgeable: Callable[[History], bool] = lambda _history: True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCheck:
    """A check of a scenario with its parameters on a backend.

    ``asked``: the scenario lists it under ``[check]``; False if it is only there as always on.
    """

    name: str
    parameters: Any
    asked: bool = True

    @property
    def kind(self) -> CheckKind:
        """The entry of the check in the register."""
        return CHECKS[self.name]

    def __call__(self, history: History) -> CheckResult:
        """Judge the history."""
        return self.kind.check(history, self.parameters)


_KINDS = (
    CheckKind(
        name=no_deadlock.NAME,
        parameters=no_deadlock.NoDeadlock,
        check=no_deadlock.no_deadlock,
        always_on=True,
        under_faults=no_deadlock.under_faults,
        with_less_work=True,
    ),
    CheckKind(
        name=outcomes.NAME,
        parameters=outcomes.Outcomes,
        check=outcomes.outcomes,
        always_on=True,
        faultless=True,
    ),
    CheckKind(
        name="end_state",
        parameters=end_state.EndState,
        check=end_state.end_state,
        always_on=True,
        with_less_work=True,
        is_judgeable=end_state.is_judgeable,
    ),
    CheckKind(
        name="no_leaks",
        parameters=no_leaks.NoLeaks,
        check=no_leaks.no_leaks,
        always_on=True,
        with_less_work=True,
        is_judgeable=no_leaks.is_judgeable,
    ),
    CheckKind(
        name="single_spawn",
        parameters=single_spawn.SingleSpawn,
        check=single_spawn.single_spawn,
        under_faults=single_spawn.under_faults,
    ),
    CheckKind(
        name="same_result",
        parameters=same_result.SameResult,
        check=same_result.same_result,
        faultless=True,
    ),
    CheckKind(
        name="distinct_results",
        parameters=distinct_results.DistinctResults,
        check=distinct_results.distinct_results,
        with_less_work=True,
    ),
    CheckKind(
        name="sees_exactly_own",
        parameters=sees_exactly_own.SeesExactlyOwn,
        check=sees_exactly_own.sees_exactly_own,
        faultless=True,
    ),
    CheckKind(
        name="ends_before",
        parameters=ends_before.EndsBefore,
        check=ends_before.ends_before,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="overlap",
        parameters=overlap.Overlap,
        check=overlap.overlap,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="peak_in_flight",
        parameters=peak_in_flight.PeakInFlight,
        check=peak_in_flight.peak_in_flight,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="success_share",
        parameters=success_share.SuccessShare,
        check=success_share.success_share,
        faultless=True,
    ),
    CheckKind(
        name="speedup",
        parameters=speedup.SpeedUp,
        check=speedup.speed_up,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="elapsed",
        parameters=elapsed.Elapsed,
        check=elapsed.elapsed,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="latency",
        parameters=latency.Latency,
        check=latency.latency,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="no_lock_across_await",
        parameters=no_lock_across_await.NoLockAcrossAwait,
        check=no_lock_across_await.no_lock_across_await,
        timed=True,
    ),
    CheckKind(
        name="no_blocking_calls",
        parameters=no_blocking_calls.NoBlockingCalls,
        check=no_blocking_calls.no_blocking_calls,
    ),
    CheckKind(name="always", parameters=always.Always, check=always.always, with_less_work=True),
    CheckKind(name="eventually", parameters=eventually.Eventually, check=eventually.eventually),
    # A fault or another order in a search may keep a condition from ever holding.
    CheckKind(
        name="sometimes",
        parameters=sometimes.Sometimes,
        check=sometimes.sometimes,
        timed=True,
        faultless=True,
    ),
    CheckKind(
        name="linearizable", parameters=linearizable.Linearizable, check=linearizable.linearizable
    ),
    CheckKind(
        name="result",
        parameters=result.Result,
        check=result.result,
        timed_by_delays=True,
        faultless=True,
    ),
)

CHECKS: dict[str, CheckKind] = {kind.name: kind for kind in _KINDS}

ALWAYS_ON = tuple(kind.name for kind in _KINDS if kind.always_on)

# Former names of checks, and their present names.
RENAMED = {"distinct_accounts": "distinct_results"}
