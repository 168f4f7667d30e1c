"""The check that no lock is held while its holder waits for something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import Names, Parameters
from harness.history.records import NodeKind

if TYPE_CHECKING:
    from harness.history.records import History, LockHold
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "NoLockAcrossAwait", "no_lock_across_await"]


class NoLockAcrossAwait(Parameters):
    """No lock, condition or semaphore with one permit is held across an await that took time."""

    excepted: Names = Field(
        default_factory=list,
        alias="except",
        description="names of locks that may, as reports write them; without the [key] for all",
    )


def no_lock_across_await(history: History, parameters: NoLockAcrossAwait) -> CheckResult:
    """Fail on a lock that was held over time.

    In virtual time only an await takes time. On a real clock a hold counts if its holder was seen
    at an await.
    """
    allowed = f", but for {', '.join(parameters.excepted)}" if parameters.excepted else ""
    expected = f"no lock held across an await that takes time{allowed}"
    if not any(one.succeeded for one in history.operations):
        return nothing_to_judge(
            "no_lock_across_await", expected=expected, seen="no operation that succeeded"
        )
    held = [
        one
        for one in history.lock_holds
        if one.permits == 1
        and one.kind != "executor"
        and (history.node is NodeKind.SIMULATED or one.held_await)
        and not _may(one.lock, parameters.excepted)
    ]
    held.sort(key=lambda one: one.begin_s - (history.end_s if one.end_s is None else one.end_s))
    locks = list(dict.fromkeys(one.lock for one in held))
    return judged(
        "no_lock_across_await",
        not held,
        expected=expected,
        seen=f"{len(held)} holds of {', '.join(locks[:3])}{' and more' * (len(locks) > 3)}:"
        f" {_described(held[0], history)}"
        if held
        else "none",
        involved=[_described(one, history) for one in held],
    )


def _may(lock: str, excepted: list[str]) -> bool:
    name = lock.partition(" (of ")[0]
    return any(one in {lock, name} or name.startswith(f"{one}[") for one in excepted)


def _described(hold: LockHold, history: History) -> str:
    end_s = history.end_s if hold.end_s is None else hold.end_s
    across = hold.held_await or hold.across or hold.where
    return f"{hold.lock} held for {end_s - hold.begin_s:.3f} s by {hold.task}, across {across}"


KIND = CheckKind(
    name="no_lock_across_await",
    parameters=NoLockAcrossAwait,
    check=no_lock_across_await,
    timed=True,
)
