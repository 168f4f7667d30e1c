"""The exploring loop: wherever several things may happen next, a policy decides."""

from __future__ import annotations

import gc
from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind, DefaultPolicy
from harness.choices.lane_names import LaneNames
from harness.choices.lateness import LATE_MS_DEFAULT
from harness.choices.randomness import Randomness
from harness.simulated.limits.overtaken import Overtaken
from harness.simulated.limits.polling import Polling
from harness.simulated.loop.callbacks import PLUMBING, is_plumbing
from harness.simulated.loop.core import the_core
from harness.simulated.loop.outside.outside_order import OUTSIDE, OutsideOrder
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.turning import first_of_lane
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.loop.virtual_task import TASK_NUMBER, MadeTasks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.choices.policies import Lane, OrderPolicy, StepWatcher
    from harness.simulated.loop.turning import ReadyHandle, Timer

    # Turns a loop so many times; says why it paused before, if it did.
    _Turn = Callable[["ExploringLoop", int], Pause | None]

__all__ = ["SEARCH_STEPS_MAX", "ExploringLoop"]

# Steps of tasks and other callbacks that a run of a search may take, unless somebody says more.
SEARCH_STEPS_MAX = 2_000_000

# After so many passes of the same tasks at one moment time goes on: they poll for what it brings.
FREE_PASSES = 2_000
# Passes between two looks at that, and once time creeps.
LOOK_PASSES = 250
CREEP_PASSES = 16

# The same for adversarial orders, in steps.
LOOK_STEPS = 2_000
CREEP_STEPS = 64

# The times at which a loop has nothing ready at which garbage may be collected, counted from 1.
COLLECTS_AT = frozenset({1, 4, 16, 64})

# Adversarial: seconds that time may run ahead of a task that is ready, in one go and in all.
WITHHELD_S = 1.0
WITHHELD_TOTAL_S = 1.0


class ExploringLoop(VirtualLoop):
    """A virtual loop in which a policy decides what comes next wherever that is open.

    By default only orders that can happen in production: callbacks keep asyncio's order, what comes
    from outside (a reply of a client, the end of an executor's call) comes at any moment at which
    its latency allows, and the loop is late by ``late_ms`` at most. ``adversarial`` also permutes
    the callbacks that are ready, task against task, and lets time run ahead of a task that is
    ready.

    ``picks`` are the decisions, in order; a policy that repeats them repeats the run.
    """

    _make_outside: Callable[..., OutsideOrder] = OutsideOrder

    def __init__(
        self,
        *,
        policy: OrderPolicy,
        adversarial: bool = False,
        watcher: StepWatcher | None = None,
        late_ms: float = LATE_MS_DEFAULT,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.policy = policy
        self.adversarial = adversarial
        self.picks: list[int] = []
        self.decided: list[int] = self.picks
        self.steps_max = SEARCH_STEPS_MAX
        self.withheld_s = 0.0
        # Adversarial: what is left of the pass that is under way.
        self.pass_left = 0
        self._polling = Polling(FREE_PASSES)
        self._overtaken = Overtaken()
        self._idle_times = 0
        self.alone = True  # At no time were two things on their way from outside.
        self.observer = None
        # Called with the number of each task that has come to its next await, to cancel it there.
        self.suspended: Callable[[int], None] | None = None
        self._ready = [] if adversarial else deque()
        self.__dict__["call_soon"] = the_core().LanedCalls(self._ready).call_soon
        self._turn_adversarial: _Turn = the_core().turn_adversarial
        self.made_tasks = MadeTasks()
        self.outside = self._make_outside(self, late_s=late_ms / 1e3)
        self._lanes = LaneNames()
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
        self.outside.begin_anew()
        self.policy = policy
        self.randomness = Randomness(seed)
        self.picks = []
        self.made_tasks.clear()
        self._lanes.begin_anew()
        self._watched_by(watcher)
        self.observer = None
        self.withheld_s = 0.0
        self._polling.begin_anew()
        self._overtaken.begin_anew()
        self._idle_times = 0
        self.alone = True
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
        """Make a task, and know it for as long as it is there."""
        if options.get("eager_start") or self._closed:
            return super().create_task(coro, name=name, **options)
        task = self._tasks.make(coro, name, options.get("context"))
        self.made_tasks.append(task)
        if self.watcher is not None:
            self._lanes.add(task.number, "", maker=TASK_NUMBER.get())
        if self.task_names is not None:
            self.task_names.setdefault(task.number, task.get_name())
        return task

    def lane_name(self, lane: int) -> str:
        """Name a lane by its ancestry, see ``LaneNames``."""
        return self._lanes.of(lane)

    def _process_born(self, serial: int) -> None:
        self._lanes.add(OUTSIDE + serial, "p", maker=TASK_NUMBER.get())

    def timer_met(self, lane: int, maker: int) -> None:
        """Name the lane of a timer that may come before or after another event."""
        if self.watcher is not None:
            self._lanes.add(lane, "t", maker=maker)

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Have the policy choose, and record what it chose."""
        chosen = self.policy.choose(kind, count, label)
        self.picks.append(chosen)
        if chosen and self.watcher is not None:
            self.watcher.chosen(f"{kind.value} {chosen} of {count - 1}: {label}")
        return chosen

    def chosen_early(self, call: str) -> bool:
        """Have the policy choose whether a call does its work long before its result comes."""
        return bool(self.choose(ChoiceKind.ORDER, 2, f"{call} works before its result comes"))

    def begin_outside(self) -> None:
        """Begin at once what was just set going outside."""
        self.outside.begin_at_once()

    def _turn(self) -> Pause:
        if not self.adversarial:
            return self._turn_in_order()
        plain = self.watcher is None and self.observer is None and self.suspended is None
        turn = self._turn_adversarial if plain else ExploringLoop._turn_watched
        self.pass_left = 0
        left = self.steps_max
        while left > 0:
            turns = min(left, CREEP_STEPS if self._polling.creeps else LOOK_STEPS)
            pause = turn(self, turns) or self._look_after_steps(turns)
            if pause is not None:
                return pause
            left -= turns
        return Pause.STEPS

    def _look_after_steps(self, turns: int) -> Pause | None:
        """Let time go on if the same tasks only poll; let run what they overtake for ever."""
        lanes = self.trace.steps[-turns:]
        pause = self._creep_past(lanes, max(1, turns // max(1, len(set(lanes)))))
        if pause is None and self._overtaken.too_often(self._ready):
            pause = self._turn_fairly()
            self._overtaken.wait(self._ready)
        return pause

    def _turn_fairly(self) -> Pause | None:
        """Run all that is ready once, in asyncio's own order; no choice is asked for."""
        ready: list[ReadyHandle | Timer] = self._ready
        self.pass_left = 0
        for _ in repeat(None, len(ready)):
            handle = ready.pop(0)
            if handle.call is not None:
                self._step(handle, ())
            elif self.watcher is not None:
                self.watcher.skipped(handle)
            if self._stopping:
                return Pause.STOPPED
        return None

    def _creep_past(self, lanes: Sequence[int], passes: int) -> Pause | None:
        """Let time go on, up to what comes next, if these lanes do nothing but poll."""
        environment = self.environment
        step_s = self._polling.look(environment.now, lanes, passes)
        if not step_s:
            return None
        now, when = environment.now + step_s, environment.next_s()
        if when is not None and when <= now:
            if not self.outside.advance():
                return self._pause
        elif self.time_limit_s is not None and now > self.time_limit_s:
            environment.move_to(self.time_limit_s)
            return Pause.TIME_LIMIT
        else:
            self.outside.creep_to(now)
        self._polling.crept(environment.now)
        return None

    def _turn_watched(self, turns: int) -> Pause | None:
        """Do as ``turn_adversarial``, and report every step to the watcher and the observer."""
        ready: list[ReadyHandle | Timer] = self._ready
        left = self.pass_left
        for _ in repeat(None, turns):
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
        self.pass_left = left
        return None

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
            return False
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
        ready, steps, outside = self._ready, self.trace.steps, self.outside
        left = self.steps_max
        passes = seen = 0
        look_at = LOOK_PASSES
        while left > 0:
            if not ready:
                passes, look_at, seen = 0, LOOK_PASSES, len(steps)
                # Whoever ran last must not live on in our variable.
                handle = None
                if not self._is_moved_on():
                    return self._pause
            else:
                passes += 1
                outside.deliver_due()
                if passes >= look_at:
                    pause = self._creep_past(steps[seen:], look_at)
                    if pause is not None:
                        return pause
                    passes, seen = 0, len(steps)
                    look_at = CREEP_PASSES if self._polling.creeps else LOOK_PASSES
            # Whoever polls comes to every moment: there time creeps, and nothing need come before.
            busy = ready and look_at != CREEP_PASSES
            coming = outside.while_busy(len(ready)) if busy else None
            waiting = len(ready)
            left -= waiting or 1
            if coming is not None:
                self._pass_with(coming, 0, waiting)
                waiting = 0
            for position in range(1, waiting + 1):
                handle = ready.popleft()
                if handle.call is not None:
                    self._step(handle, ())
                if outside.has_begun:
                    self._pass_with(outside.within_pass(position, waiting), position, waiting)
                    break
            if self.observer is not None:
                self.observer()
            if self._stopping:
                return Pause.STOPPED
        return Pause.STEPS

    def _is_moved_on(self) -> bool:
        """Let time go on, as nothing is ready; False if the loop must pause.

        Before that garbage may be collected, if the policy wants it: that ends tasks that nobody
        holds. asyncio has weak references to tasks only, and in production it may come at any time.
        """
        self._idle_times += 1
        self.alone = self.alone and self.environment.comes_alone()
        if (
            self._idle_times in COLLECTS_AT
            and self.made_tasks.any_unheld()
            and self.choose(ChoiceKind.ORDER, 2, "garbage is collected")
        ):
            gc.collect()
        return self.outside.advance()

    def _pass_with(self, coming: tuple[int, Any] | None, begin: int, waiting: int) -> None:
        """Run a pass from a callback on, between two of which something comes from outside."""
        for position in range(begin, waiting):
            while coming is not None and coming[0] == position:
                self.outside.comes(coming[1])
                coming = self.outside.within_pass(position, waiting)
            handle = self._ready.popleft()
            if handle.call is not None:
                self._step(handle, ())
            if self.outside.has_begun:
                coming = self.outside.within_pass(position + 1, waiting)

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
