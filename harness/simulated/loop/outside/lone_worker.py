"""An executor with one worker, as its callers see it: a lock that each call holds."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import is_program
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.places import callers, place_of
from harness.history.records import LockHold, LockWait

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from typing import Self

__all__ = ["LoneWorkerCall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneWorkerCall:
    """One call that was given to a pool with one worker, at ``asked_s`` virtual seconds."""

    pool: str
    task: str
    where: str
    function: str
    asked_s: float

    @classmethod
    def made_now(cls, executor: Executor | None, function: Any, *, asked_s: float) -> Self | None:
        """Note the calling task and line; None where no ledger is open to keep them."""
        ledger = active_ledger()
        if ledger is None:
            return None
        frames = [one for one in callers(sys._getframe(1)) if is_program(one)]
        task = asyncio.current_task()
        function = getattr(function, "func", function)
        return cls(
            pool="the default executor" if executor is None else ledger.name_of(executor, frames),
            task="no task" if task is None else task.get_name(),
            where=place_of(frames[0].f_code, frames[0].f_lineno) if frames else "an unknown line",
            function=getattr(function, "__qualname__", type(function).__name__),
            asked_s=asked_s,
        )

    def ended(self, *, begin_s: float, end_s: float) -> None:
        """Put the wait for the worker and the time on it into the ledger."""
        ledger = active_ledger()
        if ledger is None or len(ledger.holds) >= ledger.holds_max:
            return
        ledger.holds.append(
            LockHold(
                lock=self.pool,
                task=self.task,
                begin_s=begin_s,
                end_s=end_s,
                where=self.where,
                held_await=f"`{self.function}` on its one worker, called at {self.where}",
                kind="executor",
            )
        )
        if begin_s > self.asked_s:
            ledger.waits.append(
                LockWait(
                    lock=self.pool,
                    task=self.task,
                    begin_s=self.asked_s,
                    end_s=begin_s,
                    where=self.where,
                )
            )
