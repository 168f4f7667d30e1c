"""The register of checks: each is a pure function of the history, with parameters of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.checks import (
    conditions,
    distinct_results,
    elapsed,
    end_state,
    ends_before,
    in_flight,
    latency,
    linearizable,
    no_blocking_calls,
    no_deadlock,
    no_leaks,
    no_lock_across_await,
    outcomes,
    result,
    same_result,
    sees_exactly_own,
    single_spawn,
    speedup,
    success_share,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.checks.parameters import Parameters
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["ALWAYS_ON", "CHECKS", "CheckKind", "ResolvedCheck"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckKind:
    """A check by name: its parameters' model and its function.

    ``timed`` says that it rests on how long things take by the profile: it does not hold while a
    search stretches latencies or reorders what is ready. ``faultless`` says that it rests on calls
    that succeed: it does not hold while a search lets things fail or cancels callers. All others
    must hold whatever happens.
    """

    name: str
    parameters: type[Parameters]
    check: Callable[[History, Any], CheckResult]
    timed: bool = False
    faultless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCheck:
    """A check as a scenario asks for it on one backend.

    ``asked`` says that it stands under ``[check]``: it is not only there because it always is.
    """

    name: str
    parameters: Any
    asked: bool = True

    def __call__(self, history: History) -> CheckResult:
        """Judge the history."""
        return CHECKS[self.name].check(history, self.parameters)


CHECKS: dict[str, CheckKind] = {
    kind.name: kind
    for kind in (
        CheckKind(
            name="no_deadlock", parameters=no_deadlock.NoDeadlock, check=no_deadlock.no_deadlock
        ),
        CheckKind(
            name="outcomes", parameters=outcomes.Outcomes, check=outcomes.outcomes, faultless=True
        ),
        CheckKind(name="end_state", parameters=end_state.EndState, check=end_state.end_state),
        CheckKind(name="no_leaks", parameters=no_leaks.NoLeaks, check=no_leaks.no_leaks),
        CheckKind(
            name="single_spawn",
            parameters=single_spawn.SingleSpawn,
            check=single_spawn.single_spawn,
        ),
        CheckKind(
            name="same_result",
            parameters=same_result.SameResult,
            check=same_result.same_result,
            faultless=True,
        ),
        CheckKind(
            name="distinct_accounts",
            parameters=distinct_results.DistinctAccounts,
            check=distinct_results.distinct_accounts,
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
            parameters=in_flight.Overlap,
            check=in_flight.overlap,
            timed=True,
            faultless=True,
        ),
        CheckKind(
            name="peak_in_flight",
            parameters=in_flight.PeakInFlight,
            check=in_flight.peak_in_flight,
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
        CheckKind(name="always", parameters=conditions.Always, check=conditions.always),
        CheckKind(name="eventually", parameters=conditions.Eventually, check=conditions.eventually),
        # What a search lets fail or come in another order may keep it from ever being so.
        CheckKind(
            name="sometimes",
            parameters=conditions.Sometimes,
            check=conditions.sometimes,
            timed=True,
            faultless=True,
        ),
        CheckKind(
            name="linearizable",
            parameters=linearizable.Linearizable,
            check=linearizable.linearizable,
        ),
        CheckKind(
            name="result",
            parameters=result.Result,
            check=result.result,
            faultless=True,
        ),
    )
}

ALWAYS_ON = ("no_deadlock", "outcomes", "end_state", "no_leaks")
