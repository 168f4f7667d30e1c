"""What a run in which tasks were cancelled leaves: who went on, and what nobody gives back."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.backends.port import CancelledRun
from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.ended_holders import is_orphan, permits_left
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.places import place_of
from harness.diagnosis.task_origins import origin_of
from harness.history.records import Leak

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.diagnosis.lock_ledger import Hold
    from harness.simulated.cancelling.canceller import Canceller, Strike
    from harness.simulated.cancelling.cancelling_loop import CancellingLoop

__all__ = ["Aftermath", "Cancelled", "swallowed"]

# What outlives its maker has so many steps and virtual seconds to end by itself.
GRACE_STEPS = 2_000
GRACE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(CancelledRun):
    """What became of a run of a program in which tasks might be cancelled.

    ``leaks`` is what is left that is not left where nobody is cancelled. ``raised_by_another``: the
    error that ended the program is that of a task of its own, not of its main one.
    """

    leaks: tuple[Leak, ...] = ()
    raised_by_another: bool = False


class Aftermath:
    """Looks at a run when its main task has ended, and again when all is cleared away.

    ``usual`` are the lines of what the program leaves where nobody is cancelled; such runs add to
    it.
    """

    def __init__(
        self, loop: CancellingLoop, canceller: Canceller, main: Any, *, usual: set[str]
    ) -> None:
        self._loop = loop
        self._canceller = canceller
        self._usual = usual
        strikes = canceller.strikes
        canceller.stop()
        self.lanes = tuple(one.lane for one in strikes)
        self._words = tuple(one.words for one in strikes)
        self._swallowed = tuple(swallowed(strikes))
        self._leaks: list[Leak] = []
        self._held: list[Hold] = []
        self._raised_by_another = _is_of_another(main, loop.made_tasks)
        self._take_usual_errors(main)
        if main.done():
            self._find_outlived(main)
            ledger = active_ledger()
            if ledger is not None:
                self._held = [hold for hold in ledger.all_held() if is_orphan(hold)]

    def _take_usual_errors(self, main: Any) -> None:
        """Take errors that tasks raise where nobody is cancelled, too: whoever takes them is gone.

        Of several that are gathered the first error ends the wait, and that is a cancellation now.
        """
        for task in self._loop.made_tasks:
            error = None if not task.done() or task.cancelled() else task._exception
            if error is None or task is main:
                continue
            line = f"error {type(error).__qualname__} {origin_of(task)}"
            if not self.lanes:
                self._usual.add(line)
            elif task._log_traceback and line in self._usual:
                task._log_traceback = False

    def _find_outlived(self, main: Any) -> None:
        """Find the tasks that outlive their makers, and do not end by themselves."""
        spared = {one.serial for strike in self._canceller.strikes for one in strike.shielded}
        spared.update(one.serial for one in self._canceller.made_by(main))
        left = [one for one in self._canceller.outlived if one.serial not in spared]
        left = [one for one in left if not one.done()]
        if left and self.lanes:
            self._wait_for(left)
        for task in left:
            if not task.done():
                self._add("task", task.get_name(), origin_of(task), place_in(frames_of(task)))

    def _wait_for(self, tasks: list[Any]) -> None:
        """Let tasks end by themselves: one that only needs time is no leak."""
        loop = self._loop

        def look(_task: Any) -> None:
            loop._stopping = all(one.done() for one in tasks)

        for task in tasks:
            task.add_done_callback(look)
        limit_s, steps_max = loop.time_limit_s, loop.steps_max
        loop.time_limit_s, loop.steps_max = loop.time() + GRACE_S, GRACE_STEPS
        loop.turn()
        loop.time_limit_s, loop.steps_max = limit_s, steps_max

    def _add(self, kind: str, name: str, made_at: str | None, where: str) -> None:
        line = f"{kind} {made_at}"
        if not self.lanes:
            self._usual.add(line)
        elif line not in self._usual:
            made_at = made_at or "an unknown line"
            self._leaks.append(Leak(kind=kind, name=name, made_at=made_at, where=where))

    def find_generators(self) -> None:
        """Find asynchronous generators that are open, and that something still refers to.

        Only where all tasks have ended: a task that goes on may go on with its generator.
        One that nobody refers to is closed by Python itself. Tasks that have ended are forgotten
        for that: their errors refer to all that they had.
        """
        known = self._loop.__dict__.get("_asyncgens")
        if not known or all(one.ag_frame is None for one in known.values()):
            return
        if not all(one.done() for one in self._loop.made_tasks):
            # It may be in the middle of one.
            return
        self._loop.made_tasks.clear()
        self._canceller.forget()
        gc.collect()
        for one in list(known.values()):
            frame = one.ag_frame
            if frame is not None and not one.ag_running:
                place = place_of(one.ag_code, one.ag_code.co_firstlineno)
                self._add("generator", one.__qualname__, place, place_in([frame]))

    def end(self) -> Cancelled:
        """Say what became of it, once all that was left has been cancelled and has ended."""
        ledger = active_ledger()
        if ledger is not None:
            for one in permits_left(ledger, self._held):
                self._add(one.kind, one.name, one.made_at, one.where)
        return Cancelled(
            lanes=self.lanes,
            words=self._words,
            swallowed=self._swallowed,
            leaks=tuple(self._leaks),
            raised_by_another=self._raised_by_another,
        )


def swallowed(strikes: Iterable[Strike]) -> Iterator[str]:
    """Say which tasks went on after they had been cancelled, and have not ended as cancelled."""
    for one in strikes:
        delivery, task = one.delivery, one.task
        if delivery.went_on_at is None or not delivery.by_program or one.ambiguous:
            continue
        if delivery.raised:
            continue
        if not (task.done() and task.cancelled()):
            taken = f"it was taken at {delivery.caught_at}"
            yield f"{one.words}, and went on at {delivery.went_on_at}: {taken}"


def _is_of_another(main: Any, tasks: Iterable[Any]) -> bool:
    """Return True if the main task ended with the error of another task."""
    error = None if not main.done() or main.cancelled() else main._exception
    return error is not None and any(
        one is not main and one.done() and not one.cancelled() and one._exception is error
        for one in tasks
    )
