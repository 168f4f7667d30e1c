"""The many runs of a search: guards are opened once, each run has a loop as good as new."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.choices.lateness import LATE_MS_DEFAULT
from harness.diagnosis.lock_ledger import active_ledger
from harness.diagnosis.wait_graph import diagnose
from harness.errors import Terminated, Unsupported
from harness.processes.signals import Interrupts
from harness.simulated.cancelling.aftermath import Aftermath
from harness.simulated.cancelling.cancelling_loop import CancellingLoop
from harness.simulated.guards.determinism import Guards
from harness.simulated.guards.watchdog import Watchdog
from harness.simulated.left_behind import left_behind
from harness.simulated.limits.cut import Cut, cut_of_pause
from harness.simulated.loop.exploring_loop import SEARCH_STEPS_MAX, ExploringLoop
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.lost_errors import REGISTER, Survivors, report_lost, soon_told
from harness.simulated.simulation import clean_up

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.history.records import Diagnosis
    from harness.simulated.cancelling.aftermath import Cancelled
    from harness.simulated.left_behind import Left
    from harness.simulated.loop.virtual_task import MadeTasks

    Main = Callable[[], Coroutine[Any, Any, Any]]

__all__ = ["SearchRun", "SearchRuns"]

# Runs between two collections of cyclic garbage, which a failed run leaves behind.
COLLECT_RUNS = 500
# What a run left behind is garbage of many cycles: after so many such runs all of it is collected.
COLLECT_LEFT = 200


@dataclass(slots=True, kw_only=True)
class SearchRun:
    """How one run of a search ended.

    ``order`` is the sequence of the lanes whose callbacks ran, 4 bytes each: two runs with equal
    ``order`` took the same schedule. ``picks`` are the decisions in their order. ``error`` is what
    the program raised; ``pause`` says why it ended if it did not end by itself, ``cut`` what
    there is to say of a limit of steps or of real time, and of a step that never returns.
    ``refused`` is what it asked for that a simulation has not, whatever became of the error;
    ``after_error`` is what the check ``after`` raised, ``cancelled`` what became of it where tasks
    may be cancelled, ``left`` what it left behind; ``alone``: never were two things on their way.
    """

    seed: int
    picks: list[int]
    order: bytes
    steps: int
    virtual_s: float
    error: BaseException | None
    pause: Pause
    finished: bool
    unhandled: tuple[str, ...]
    diagnosis: Diagnosis | None
    refused: tuple[str, ...] = ()
    after_error: BaseException | None = None
    cancelled: Cancelled | None = None
    left: tuple[Left, ...] = ()
    cut: Cut | None = None
    alone: bool = False

    @property
    def has_returned(self) -> bool:
        """True if the program came to its end and returned."""
        return self.finished and self.error is None and self.cut is None

    @property
    def failed(self) -> bool:
        """True if it raised, could not go on, or left something; a limit is no failure."""
        if self.cut is not None:
            return self.cut.shown
        return not self.has_returned or bool(self.unhandled) or bool(self.left)


class SearchRuns:
    """Runs one program many times, each time as a policy decides.

    It is a context manager: while it is open the process is guarded as in ``simulate``. No trace is
    hashed and no lock is watched: to learn more about a run, repeat it with ``simulate``.
    """

    def __init__(
        self,
        main: Main,
        *,
        adversarial: bool = False,
        late_ms: float = LATE_MS_DEFAULT,
        time_limit_s: float | None = None,
        steps_max: int | None = None,
        watchdog: bool = True,
        strict: bool = True,
        cancel: bool = False,
        after: Callable[[], Any] | None = None,
        leaks: frozenset[str] = frozenset(),
    ) -> None:
        self._main = main
        self._after = after
        self._make_loop = CancellingLoop if cancel else ExploringLoop
        self._usual: set[str] = set()
        self._refused: list[str] = []
        self._stack = ExitStack()
        self._leaks = leaks
        self._survivors = Survivors()
        self._steps_max = SEARCH_STEPS_MAX if steps_max is None else steps_max
        self._interrupts = Interrupts()
        self._turning: ExploringLoop | None = None
        self.watchdog = Watchdog(self._turns, lambda: self._turning) if watchdog else None
        self._adversarial = adversarial
        self._late_ms = late_ms
        self._time_limit_s = time_limit_s
        self._guards = Guards(VirtualLoop(), strict=strict)
        self._loop: ExploringLoop | None = None
        self._runs = 0
        self._left_behind = 0

    def __enter__(self) -> SearchRuns:
        if self.watchdog is not None:
            self._stack.enter_context(self.watchdog)
        self._stack.enter_context(self._guards)
        self._stack.enter_context(Unsupported.told_to(self._refused.append))
        self._stack.enter_context(self._interrupts)
        # What was made before the search is no garbage: no collection need go through it again.
        gc.freeze()
        gc.disable()
        self._hooks = sys.get_asyncgen_hooks()
        return self

    def __exit__(self, *error: object) -> None:
        sys.set_asyncgen_hooks(*self._hooks)
        gc.enable()
        gc.unfreeze()
        self._stack.close()

    def _turns(self) -> object:
        """Return what changes with each step, with time, and with each run."""
        loop = self._turning
        return None if loop is None else (self._runs, len(loop.trace.steps), loop.environment._now)

    def set_adversarial(self, adversarial: bool) -> None:
        """Permute the callbacks that are ready from the next run on, or keep their order."""
        self._adversarial = adversarial
        self._loop = None

    def run(
        self,
        policy: OrderPolicy,
        *,
        seed: int = 0,
        watcher: StepWatcher | None = None,
        diagnosed: bool = False,
    ) -> SearchRun:
        """Run the program once; ``diagnosed`` also says who waits for whom if it cannot go on."""
        loop = self._turning = self._loop_of(policy, seed=seed, watcher=watcher)
        self._guards.rebind(loop)
        self._refused.clear()
        self._survivors.begin()
        if self.watchdog is not None:
            self.watchdog.cut = None
        task = loop.create_task(self._main())
        pause, error, finished = _turned(loop, task)
        aftermath = self._aftermath(loop, task)
        # Else it would live on, and with it what it refers to, until the next run.
        del task
        steps = loop.trace.steps
        stuck = cut = None
        if not finished:
            cut = cut_of_pause(loop, pause)
            stuck = diagnose(loop, exact=pause is Pause.STUCK) if diagnosed else None
        found = SearchRun(
            seed=seed,
            picks=loop.picks,
            order=steps.tobytes(),
            steps=len(steps),
            virtual_s=loop.environment.now,
            error=error,
            pause=pause,
            finished=finished,
            unhandled=(),
            diagnosis=stuck,
            cut=cut,
            alone=loop.alone,
        )
        unhandled = loop.unhandled
        # What a SystemExit interrupted may stand half-way: such a loop does not serve again.
        found.after_error = self._leave(loop, found, aftermath)
        found.unhandled = tuple(unhandled)
        found.refused = tuple(dict.fromkeys(self._refused)) if self._refused else ()
        if aftermath is not None:
            found.cancelled = aftermath.end()
        if self.watchdog is not None:
            found.cut = self.watchdog.cut or cut
        self._collect()
        return found

    @property
    def _is_cut(self) -> bool:
        return self.watchdog is not None and self.watchdog.cut is not None

    def _aftermath(self, loop: ExploringLoop, main: Any) -> Aftermath | None:
        """Look at what is left when the main task has ended, where tasks may be cancelled."""
        if not isinstance(loop, CancellingLoop) or loop.canceller is None:
            return None
        return Aftermath(loop, loop.canceller, main, usual=self._usual)

    def _collect(self) -> None:
        self._runs += 1
        if self._runs % COLLECT_RUNS == 0:
            gc.collect(1)

    def _loop_of(
        self, policy: OrderPolicy, *, seed: int, watcher: StepWatcher | None
    ) -> ExploringLoop:
        loop, self._loop = self._loop, None
        if loop is not None and loop.begin_anew(policy, seed=seed, watcher=watcher):
            return loop
        loop = self._make_loop(
            seed=seed,
            policy=policy,
            adversarial=self._adversarial,
            watcher=watcher,
            late_ms=self._late_ms,
        )
        loop.time_limit_s = self._time_limit_s
        loop.steps_max = self._steps_max
        loop.is_interrupted = self._interrupts.came
        return loop

    def _leave(
        self, loop: ExploringLoop, found: SearchRun, aftermath: Aftermath | None
    ) -> BaseException | None:
        """Judge what the run left behind, clean up, and return what the check ``after`` raised."""
        wrong = self._clear(loop, found, aftermath)
        if found.has_returned:
            self._survivors.report_lost(loop)
        return wrong

    def _clear(
        self, loop: ExploringLoop, found: SearchRun, aftermath: Aftermath | None
    ) -> BaseException | None:
        """Cancel what the run left behind; most leave nothing, and then the loop serves again."""
        watcher, loop.watcher = loop.watcher, None
        # What was interrupted may stand half-way.
        halfway = isinstance(found.error, (SystemExit, KeyboardInterrupt)) or self._is_cut
        finished = found.finished and not halfway
        leaves = not finished or not all(
            [made.done() for made in loop.made_tasks]  # noqa: C419 - a list is faster here
        )
        began_more = leaves or "_asyncgens" in loop.__dict__ or active_ledger() is not None
        # What tasks leave that were cancelled, the aftermath judges.
        cancelled = aftermath is not None and aftermath.lanes
        if began_more and self._leaks and found.has_returned and not cancelled:
            loop.run_is_over()
            found.left = left_behind(loop, self._leaks)
        told = soon_told(loop)
        report_lost(loop, loop.made_tasks, but=told)
        if aftermath is not None and finished:
            aftermath.find_generators()
        wrong: BaseException | None = None
        if (
            leaves
            or loop._ready
            or loop.environment.queue
            or "_asyncgens" in loop.__dict__
            or self._after is not None
        ):
            clean_up(loop)
            report_lost(loop, told)
            if self._after is not None and finished:
                wrong = _checked(loop, self._after)
            _forget(loop.made_tasks)
            loop.close()
            self._left_behind += 1
            if self._left_behind % COLLECT_LEFT == 0:
                gc.collect()
            return wrong
        if watcher is None:
            # Nothing refers to these tasks any more, so that they end here.
            loop.made_tasks.clear()
        else:
            _forget(loop.made_tasks)
        if watcher is not None and watcher.needs_loop:
            loop.close()
        else:
            self._loop = loop
        return wrong


def _turned(loop: ExploringLoop, task: Any) -> tuple[Pause, BaseException | None, bool]:
    """Turn until the main task has ended, or cannot: return why, its error, and whether it did."""
    task._log_destroy_pending = False
    task.add_done_callback(loop.stop_after)
    try:
        pause = loop.turn()
        if not task.done():
            return pause, None, False
        return pause, asyncio.CancelledError() if task.cancelled() else task.exception(), True
    # A SimPy process failed and nobody took it, the program ended the interpreter, or somebody
    # else did.
    except BaseException as failure:
        if loop.is_interrupted(failure):
            _abandon(loop, failure)
            raise
        return Pause.STOPPED, failure, True


def _checked(loop: ExploringLoop, after: Callable[[], Any]) -> BaseException | None:
    """Make the check that is made when all has ended; return what it raised."""
    try:
        made = after()
        if inspect.isawaitable(made):
            loop.run_until_complete(made)
    except (KeyboardInterrupt, Terminated):
        raise
    # Whatever it raises says that something is wrong.
    except BaseException as error:  # noqa: BLE001
        return error
    return None


def _abandon(loop: ExploringLoop, interruption: BaseException) -> None:
    clean_up(loop, interruption)
    loop.close()


def _forget(tasks: MadeTasks) -> None:
    """Strike tasks of a run that is over from asyncio's register.

    Some live on until cyclic garbage is collected. In the register they would be in the way of all
    later tasks of their number, which is their hash: it took a third of a search's time.
    """
    for task in tasks:
        REGISTER.discard(task)
    tasks.clear()
