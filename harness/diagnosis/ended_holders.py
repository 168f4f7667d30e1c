"""Locks and permits whose taker has ended without giving them back."""

from __future__ import annotations

import asyncio
import inspect
import re
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import part_of_code
from harness.diagnosis.places import await_at
from harness.history.parts import Part
from harness.history.records import Leak

if TYPE_CHECKING:
    from collections.abc import Collection

    from harness.diagnosis.lock_ledger import Hold, LockLedger

__all__ = ["has_ended", "is_orphan", "permits_left", "reason_in_permits"]

_NAMED_MAX = 4


def has_ended(hold: Hold) -> bool:
    """Return True if the task that took a lock is done.

    A task that only ran the lock's own method, or that ``wait_for`` made, took it for another task.
    """
    task = hold.task
    if task is None or not task.done() or task.get_name().endswith(" (wait_for)"):
        return False
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and not part_of_code(code).is_machinery


def is_orphan(hold: Hold) -> bool:
    """Return True if nobody but another task than its taker can give a lock back."""
    return hold.task is not None and hold.task.done()


def reason_in_permits(lock: object, ledger: LockLedger) -> str | None:
    """Say who took a lock and has ended since; None if nobody has.

    None, too, for a lock that tasks release which did not take it: it may be a signal.
    """
    if not isinstance(lock, asyncio.Lock | asyncio.Semaphore) or ledger.is_handed_on(lock):
        return None
    ended = [hold for hold in ledger.holders_of(lock) if has_ended(hold)]
    if not ended:
        return None
    if len(ended) == 1:
        (hold,) = ended
        what = "it was" if hold.permits == 1 else f"1 of its {hold.permits} permits was"
        end = f"{hold.task_name} {_ending(hold)} without giving it back"
        return f"{what} taken at {hold.where} by {_taker(hold)}, and {end}"
    takers = [
        f"at {hold.where} by {_taker(hold)} (it {_ending(hold)})" for hold in ended[:_NAMED_MAX]
    ]
    more = len(ended) - len(takers)
    listed = ", ".join([*takers, *([f"and {more} more"] if more else [])])
    return (
        f"{len(ended)} of its {ended[-1].permits} permits were taken and not given back, {listed}"
    )


def _taker(hold: Hold) -> str:
    return f"{hold.task_name} at {hold.begin_s:.3f} s"


def _ending(hold: Hold) -> str:
    """Say how the task that took a lock has ended."""
    task: Any = hold.task
    code = getattr(task.get_coro(), "cr_code", None)
    if code is not None and part_of_code(code).is_harness:
        # The task that the harness made for a call returns, whatever the call does.
        return "has ended"
    if task.cancelled():
        return "was cancelled"
    # Not exception(): that marks the error as retrieved, and asyncio no longer logs it.
    error = task._exception
    return "returned" if error is None else f"raised {type(error).__name__}"


def permits_left(ledger: LockLedger | None, held: Collection[Hold]) -> list[Leak]:
    """Find which orphans, ``held`` before a system closed, nobody will give back any more.

    Not every permit is to be given back: one may be a ticket, or taken so that nothing more begins.
    So there must be a sign that it should be: its own function gives it back on another path, or
    has given it back before. Locks that other tasks than their takers give back are left out.
    """
    if ledger is None:
        return []
    return [
        Leak(
            kind="lock" if isinstance(hold.lock, asyncio.Lock) else "permit",
            name=_name(hold, ledger),
            made_at=hold.where,
            where=f"{_taker(hold)}, which {_ending(hold)}",
        )
        for hold in held
        if not hold.over
        and not hold.scoped
        and part_of_code(hold.code) is Part.PROGRAM
        and not ledger.is_handed_on(hold.lock)
        and (_releases(hold) or _was_given_back(hold, ledger))
    ]


def _was_given_back(hold: Hold, ledger: LockLedger) -> bool:
    """Return True if what the same line took of the same lock was given back before."""
    where, number = hold.where, ledger.number_of(hold.lock)
    return any(past.number == number and past.where == where for past in ledger.holds)


def _expression(hold: Hold) -> str | None:
    """Return what stands before ``.acquire()`` where a lock was taken."""
    found = re.match(r"`await (.+)\.acquire\(\)`", await_at(hold.code, hold.instruction))
    return None if found is None else found[1]


def _releases(hold: Hold) -> bool:
    """Return True if the function that took a lock has a line that gives it back."""
    expression = _expression(hold)
    try:
        source = inspect.getsource(hold.code)
    except OSError:
        return False
    return expression is not None and f"{expression}.release()" in source


def _name(hold: Hold, ledger: LockLedger) -> str:
    known, expression = ledger.name_of(hold.lock, []), _expression(hold)
    if expression is None or known != f"a {type(hold.lock).__name__}":
        return known
    owner = hold.code.co_qualname.rpartition(".")[0].rpartition(".")[2]
    return re.sub(r"^self\b", owner, expression) if owner else expression
