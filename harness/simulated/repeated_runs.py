"""The many runs of a search: guards are opened once, each run has a loop as good as new."""

from __future__ import annotations

import asyncio
import gc
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.diagnosis.wait_graph import diagnose
from harness.errors import Terminated
from harness.simulated.guards.determinism import Guards
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.lost_errors import REGISTER, report_lost
from harness.simulated.simulation import clean_up

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harness.choices.policies import OrderPolicy, StepWatcher
    from harness.history.records import Diagnosis

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
    the program raised; ``pause`` says why it ended if it did not end by itself.
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

    @property
    def failed(self) -> bool:
        """True if it raised, could not go on, or left an error that no code took."""
        return self.error is not None or not self.finished or bool(self.unhandled)


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
        time_limit_s: float | None = None,
        strict: bool = True,
    ) -> None:
        self._main = main
        self._adversarial = adversarial
        self._time_limit_s = time_limit_s
        self._guards = Guards(VirtualLoop(), strict=strict)
        self._loop: ExploringLoop | None = None
        self._runs = 0
        self._left_behind = 0

    def __enter__(self) -> SearchRuns:
        self._guards.__enter__()
        # What was made before the search is no garbage: no collection need go through it again.
        gc.freeze()
        gc.disable()
        self._hooks = sys.get_asyncgen_hooks()
        return self

    def __exit__(self, *error: object) -> None:
        sys.set_asyncgen_hooks(*self._hooks)
        gc.enable()
        gc.unfreeze()
        self._guards.__exit__(*error)

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
        loop = self._loop_of(policy, seed=seed, watcher=watcher)
        self._guards.rebind(loop)
        error: BaseException | None = None
        task = loop.create_task(self._main())
        task._log_destroy_pending = False
        task.add_done_callback(loop.stop_after)
        try:
            pause = loop.turn()
            finished = task.done()
            if finished:
                error = asyncio.CancelledError() if task.cancelled() else task.exception()
        except (KeyboardInterrupt, Terminated) as interruption:
            _abandon(loop, interruption)
            raise
        # A SimPy process failed and nobody took it, or the program ended the interpreter.
        except BaseException as failure:  # noqa: BLE001
            pause, error, finished = Pause.STOPPED, failure, True
        # Else it would live on, and with it what it refers to, until the next run.
        del task
        steps = loop.trace.steps
        stuck = None
        if diagnosed and not finished:
            stuck = diagnose(loop, exact=pause is Pause.STUCK)
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
        )
        unhandled = loop.unhandled
        # What a SystemExit interrupted may stand half-way: such a loop does not serve again.
        self._leave(loop, finished=finished and not isinstance(error, SystemExit))
        found.unhandled = tuple(unhandled)
        self._collect()
        return found

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
        loop = ExploringLoop(
            seed=seed, policy=policy, adversarial=self._adversarial, watcher=watcher
        )
        loop.time_limit_s = self._time_limit_s
        return loop

    def _leave(self, loop: ExploringLoop, *, finished: bool) -> None:
        """Cancel what the run left behind; most leave nothing, and then the loop serves again."""
        watcher, loop.watcher = loop.watcher, None
        leaves = not finished or not all(made.done() for made in loop.made_tasks)
        report_lost(loop, loop.made_tasks)
        if leaves or loop._ready or loop.environment.queue or "_asyncgens" in loop.__dict__:
            clean_up(loop)
            _forget(loop.made_tasks)
            loop.close()
            self._left_behind += 1
            if self._left_behind % COLLECT_LEFT == 0:
                gc.collect()
            return
        if watcher is None:
            # Nothing refers to these tasks any more, so that they end here.
            loop.made_tasks.clear()
        else:
            _forget(loop.made_tasks)
        if watcher is not None and watcher.needs_loop:
            loop.close()
        else:
            self._loop = loop


def _abandon(loop: ExploringLoop, interruption: BaseException) -> None:
    clean_up(loop, interruption)
    loop.close()


def _forget(tasks: list[Any]) -> None:
    """Strike tasks of a run that is over from asyncio's register.

    Some live on until cyclic garbage is collected. In the register they would be in the way of all
    later tasks of their number, which is their hash: it took a third of a search's time.
    """
    for task in tasks:
        REGISTER.discard(task)
    tasks.clear()
