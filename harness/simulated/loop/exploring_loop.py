"""The exploring loop: wherever several things may happen next, a policy decides."""

from __future__ import annotations

from collections import Counter, deque
from itertools import repeat
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind, DefaultPolicy
from harness.choices.randomness import Randomness
from harness.simulated.loop.callbacks import PLUMBING, is_plumbing
from harness.simulated.loop.core import the_core
from harness.simulated.loop.outside.outside_order import OUTSIDE, OutsideOrder
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.turning import first_of_lane
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.loop.virtual_task import TASK_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.choices.policies import Lane, OrderPolicy, StepWatcher
    from harness.simulated.loop.turning import ReadyHandle, Timer

__all__ = ["ExploringLoop"]

# Steps of tasks and other callbacks after which a run is not going to end.
STEPS_MAX = 200_000

# Steps at one moment after which time goes on although a task is still ready: a program may
# poll with sleep(0) for something that only time can bring.
STEPS_A_MOMENT_MAX = 2_000

# Adversarial: seconds that time may run ahead of a task that is ready, in one go and in all.
WITHHELD_S = 1.0
WITHHELD_TOTAL_S = 1.0


class ExploringLoop(VirtualLoop):
    """A virtual loop in which a policy decides what comes next wherever that is open.

    By default only orders that can happen in production: callbacks keep asyncio's order, and what
    comes from outside (a reply of a client, the end of an executor's call) comes at any moment at
    which its latency allows. ``adversarial`` also permutes the callbacks that are ready, task
    against task, and lets time run ahead of a task that is ready.

    ``picks`` are the decisions, in order; a policy that repeats them repeats the run.
    """

    def __init__(
        self,
        *,
        policy: OrderPolicy,
        adversarial: bool = False,
        watcher: StepWatcher | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.policy = policy
        self.adversarial = adversarial
        self.picks: list[int] = []
        self.decided: list[int] = self.picks
        self.steps_max = STEPS_MAX
        self.withheld_s = 0.0
        self._moment_steps = 0
        self.observer = None
        # Called with the number of each task that has come to its next await, to cancel it there.
        self.suspended: Callable[[int], None] | None = None
        self._ready = [] if adversarial else deque()
        self.__dict__["call_soon"] = the_core().LanedCalls(self._ready).call_soon
        self._turn_adversarial: Callable[[ExploringLoop], Pause] = the_core().turn_adversarial
        self.made_tasks: list[Any] = []
        self.outside = OutsideOrder(self)
        self._lane_names: dict[int, str] = {}
        self._children: Counter[str] = Counter()
        self._watched_by(watcher)

    def _watched_by(self, watcher: StepWatcher | None) -> None:
        self.watcher = watcher
        self.environment.born = None if watcher is None else self._process_born
        if watcher is not None:
            watcher.bind(self)

    def begin_anew(
        self, policy: OrderPolicy, *, seed: int, watcher: StepWatcher | None = None
    ) -> bool:
        """Reset to a loop that was just made, for a search's next run; False if that is unsure.

        To make a loop costs a tenth of a short run. Only one whose run ended with nothing left, and
        that never had to make its rarer parts, is used again.
        """
        environment = self.environment
        made = self.__dict__
        if "executors" in made or "_asyncgens" in made or made["get_debug"] is not bool:
            return False
        if self.unhandled or self._ready or environment.queue or environment.windows:
            return False
        if self._exception_handler or self._default_executor:
            return False
        environment.begin_anew()
        self.policy = policy
        self.randomness = Randomness(seed)
        self.picks = []
        self.made_tasks.clear()
        self._lane_names.clear()
        self._children.clear()
        self._watched_by(watcher)
        self.observer = None
        self.withheld_s = 0.0
        self._moment_steps = 0
        self._tasks.begin_anew()
        self.outside_futures.begin_anew()
        del self.trace.steps[:]
        del self.trace.wakes[:]
        return True

    def run_is_over(self) -> None:
        """Let what is left be cleared away in asyncio's own order: no choice of the run's is left.

        ``decided`` keeps the decisions of the run itself.
        """
        self.decided = self.picks
        self.picks = []
        self.policy = DefaultPolicy()
        self.watcher = None
        self.suspended = None

    def create_task(self, coro: Any, *, name: object = None, **options: Any) -> Any:
        """Make a task, and know it until the loop is closed."""
        if options.get("eager_start") or self._closed:
            return super().create_task(coro, name=name, **options)
        task = self._tasks.make(coro, name, options.get("context"))
        self.made_tasks.append(task)
        if self.watcher is not None:
            self._name_lane(task.number, "")
        if self.task_names is not None:
            self.task_names.setdefault(task.number, task.get_name())
        return task

    def lane_name(self, lane: int) -> str:
        """Name a lane by its ancestry: ``1.2`` is the second task that the first task made.

        Unlike its number, that does not change when other tasks are made in another order. What is
        outside has a ``p`` before its last number, and belongs to the task that set it going.
        """
        return self._lane_names.get(lane, str(lane))

    def _name_lane(self, lane: int, mark: str) -> None:
        parent = self._lane_names.get(TASK_NUMBER.get(), "")
        self._children[parent + mark] += 1
        number = f"{mark}{self._children[parent + mark]}"
        self._lane_names.setdefault(lane, f"{parent}.{number}" if parent else number)

    def _process_born(self, serial: int) -> None:
        self._name_lane(OUTSIDE + serial, "p")

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Have the policy choose, and record what it chose."""
        chosen = self.policy.choose(kind, count, label)
        self.picks.append(chosen)
        if chosen and self.watcher is not None:
            self.watcher.chosen(f"{kind.value} {chosen} of {count - 1}: {label}")
        return chosen

    def _turn(self) -> Pause:
        if not self.adversarial:
            return self._turn_in_order()
        if self.watcher is None and self.observer is None and self.suspended is None:
            return self._turn_adversarial(self)
        return self._turn_watched()

    def _turn_watched(self) -> Pause:
        """Do as ``turn_adversarial``, and report every step to the watcher and the observer."""
        ready: list[ReadyHandle | Timer] = self._ready
        left = 0
        for _ in repeat(None, self.steps_max):
            if not left:
                if self.environment.queue:
                    self.outside.deliver_due()
                left = len(ready)
                if not left:
                    if self.outside.advance():
                        continue
                    return self._pause
            if self.environment.queue and self._time_runs_ahead():
                continue
            left -= 1
            index = 0
            if len(ready) > 1 and ready[0].lane >= 0:
                index = self.policy.order(ready)
                if index:
                    index = first_of_lane(ready, index)
                self.picks.append(index)
            overtaken = ready[:index]
            handle = ready.pop(index)
            if handle.call is not None:
                self._step(handle, overtaken)
                if self.observer is not None:
                    self.observer()
                if self._stopping:
                    return Pause.STOPPED
            elif self.watcher is not None:
                self.watcher.skipped(handle)
        return Pause.SPINNING

    def _step(self, handle: Any, overtaken: Sequence[Lane]) -> None:
        if handle.lane >= 0:
            self.trace.steps.append(handle.lane)
        if self.watcher is not None:
            self.watcher.begins(handle, overtaken)
        try:
            handle.context.run(*handle.call)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
            self._callback_failed(handle, error)
        if self.watcher is not None:
            self.watcher.ended(handle)
        if self.suspended is not None and handle.lane > 0:
            self.suspended(handle.lane)

    def _time_runs_ahead(self) -> bool:
        """Let something from outside happen although a task is ready, if the policy wants it."""
        if not self._ready:
            self._moment_steps = 0
            return False
        self._moment_steps += 1
        if self._moment_steps >= STEPS_A_MOMENT_MAX:
            self._moment_steps = 0
            return self.outside.advance()
        when = self.outside.soonest_s()
        if when is None:
            return False
        ahead = max(0.0, when - self.environment.now)
        if ahead > WITHHELD_S or self.withheld_s + ahead > WITHHELD_TOTAL_S:
            return False
        if not self.choose(ChoiceKind.ORDER, 2, "time runs ahead of a task that is ready"):
            return False
        self.withheld_s += ahead
        return self.outside.advance()

    def _turn_in_order(self) -> Pause:
        """Run callbacks in passes, as asyncio does; let the policy decide what outside brings."""
        ready = self._ready
        left = self.steps_max
        moment = 0
        while left > 0:
            if not ready:
                moment = 0
                if not self.outside.advance():
                    return self._pause
            elif moment >= STEPS_A_MOMENT_MAX and self.environment.queue:
                moment = 0
                self.outside.advance()
            else:
                self.outside.deliver_due()
                self.outside.between_passes()
            waiting = len(ready)
            left -= waiting or 1
            moment += waiting
            for _ in repeat(None, waiting):
                handle = ready.popleft()
                if handle.call is not None:
                    self._step(handle, ())
            if self.observer is not None:
                self.observer()
            if self._stopping:
                return Pause.STOPPED
        return Pause.SPINNING

    def now_ready(self, handle: Any) -> None:
        """Add a timer that is due to the callbacks that are ready."""
        if is_plumbing(handle.call[0]):
            handle.lane = PLUMBING
        else:
            handle.lane = handle.context.get(TASK_NUMBER, 0)
        self._ready.append(handle)

    def paused(self, why: Pause) -> bool:
        """Note why nothing comes from outside any more; always False."""
        self._pause = why
        return False
