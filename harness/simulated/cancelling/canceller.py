"""The canceller: at each await of each task it asks the policy whether to cancel the task there.

A task can be cancelled at three moments of an await: as it begins to wait, when all tasks wait, and
when it has been woken and has not yet run. The last is the narrowest: what the task waited for was
handed to it, and it is cancelled nonetheless.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Protocol

from harness.choices.kinds import ChoiceKind
from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.wait_graph import wait_of
from harness.simulated.cancelling.delivery import Delivery
from harness.simulated.loop.virtual_task import VirtualTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.choices.policies import OrderPolicy, StepWatcher

__all__ = ["STRIKES_MAX", "Canceller", "ChoosingLoop", "Moment", "Strike", "label_of"]

# A run cancels one task, at most so many times: where two are cancelled half-way, what both would
# have done is missing, and nobody can tell that from a mistake.
STRIKES_MAX = 2


class Moment(StrEnum):
    """When, at one of its awaits, a task can be cancelled."""

    WAITS = "waits"
    IDLE = "idle"
    WOKEN = "woken"


def label_of(moment: Moment, lane: str) -> str:
    """Name what is asked: the moment, and the task by its ancestry."""
    return f"{moment.value} {lane}"


class ChoosingLoop(Protocol):
    """A loop, as far as the canceller needs it."""

    policy: OrderPolicy
    watcher: StepWatcher | None
    picks: list[int]
    made_tasks: Any

    def lane_name(self, lane: int) -> str:
        """Name a task by its ancestry."""
        ...


@dataclass(slots=True, kw_only=True)
class Strike:
    """A cancellation that took place: of whom, where, when, and how the task took it.

    ``ambiguous``: the task waited for a task that was being cancelled as well, so that it cannot
    tell whose cancellation it sees. ``shielded`` are tasks that it shielded from this.
    """

    task: Any
    lane: str
    moment: Moment
    words: str
    ambiguous: bool
    shielded: tuple[Any, ...]
    delivery: Delivery = field(default_factory=Delivery)


class Canceller:
    """Asks, and cancels; it is made for one run.

    ``strikes`` are the cancellations so far, ``outlived`` the tasks whose maker had ended before
    them. A policy with a method ``site`` is told of each place that it is asked about.
    """

    def __init__(self, loop: ChoosingLoop, *, most: int = STRIKES_MAX) -> None:
        self.strikes: list[Strike] = []
        self.outlived: list[Any] = []
        # The tasks that each task has made, by its ancestry.
        self._children: dict[str, list[Any]] = {}
        self._known = 0
        self.over = False
        self._loop = loop
        self._most = most
        self._waiting: dict[int, Any] = {}
        self._struck: dict[int, Strike] = {}
        # For scenarios: who may be cancelled besides the operations that are under way, and who is
        # told of that.
        self._told: Callable[[str], None] | None = None
        self._chooses: Callable[[Any], bool] = _is_plain
        self._operating: dict[int, Callable[[], None]] | None = None
        self._site: Any = getattr(loop.policy, "site", None)

    def only(self, others: Callable[[Any], bool], *, told: Callable[[str], None]) -> None:
        """Cancel, from now on, operations that are under way, and such other tasks.

        ``told`` is called with the name of each such other task that is cancelled.
        """
        self._operating, self._told = {}, told
        self._chooses = lambda task: _is_plain(task) and others(task)

    @contextmanager
    def operating(self, on_cancel: Callable[[], None]) -> Iterator[None]:
        """Let the running task be cancelled inside; ``on_cancel`` is called before it is.

        Raises:
            asyncio.CancelledError: It is cancelled before it begins.
        """
        task: Any = asyncio.current_task()
        if self._operating is None or type(task) is not VirtualTask:
            yield
            return
        self._operating[task.number] = on_cancel
        try:
            if self._may(task):
                self._begins(task)
            yield
        except asyncio.CancelledError:
            strike = self._struck.get(task.serial)
            if strike is not None:
                strike.delivery.raised = True
            raise
        finally:
            self._operating.pop(task.number, None)
            self._struck.pop(task.serial, None)

    def _begins(self, task: Any) -> None:
        if not self.over and self._asked(task, Moment.WOKEN):
            raise asyncio.CancelledError

    def stop(self) -> None:
        """Cancel nobody any more."""
        self.over = True

    def before(self, handle: Any) -> Any:
        """Ask about the task whose step comes next; return the task, or None if it is no task's."""
        task = getattr(handle.call[0], "__self__", None)
        if type(task) is not VirtualTask:
            return None
        self._waiting.pop(task.number, None)
        if not self.over and self._may(task) and not _is_cancelled_already(task):
            self._asked(task, Moment.WOKEN)
        return task

    def delivery_of(self, task: Any) -> Delivery | None:
        """Return how a struck task takes its cancellation, if that is still to be seen."""
        strike = self._struck.get(task.serial)
        return None if strike is None else strike.delivery

    def after(self, task: Any) -> None:
        """Ask about a task that has run, and may have come to its next await."""
        if task.done():
            self._struck.pop(task.serial, None)
            self.outlived += [one for one in self.made_by(task) if not one.done()]
        elif not self.over and self._may(task) and _waits(task):
            self._waiting[task.number] = task
            self._asked(task, Moment.WAITS)

    def made_by(self, task: Any) -> list[Any]:
        """List the tasks that a task has made."""
        name, made = self._loop.lane_name, self._loop.made_tasks
        for one in made[self._known :]:
            self._children.setdefault(name(one.number).rpartition(".")[0], []).append(one)
        self._known = len(made)
        return self._children.get(name(task.number), [])

    def forget(self) -> None:
        """Refer to none of the run's tasks any more."""
        self.strikes.clear()
        self.outlived.clear()
        self._children.clear()
        self._waiting.clear()
        self._struck.clear()

    def quiet(self) -> None:
        """Ask about all tasks that have begun to wait since nothing could run the last time."""
        waiting, self._waiting = self._waiting, {}
        for number in sorted(waiting):
            task = waiting[number]
            if not self.over and _waits(task) and self._may(task):
                self._asked(task, Moment.IDLE)

    def _may(self, task: Any) -> bool:
        if self.strikes and self.strikes[0].task is not task:
            return False
        if self._operating is not None and task.number in self._operating:
            return True
        return self._chooses(task)

    def _asked(self, task: Any, moment: Moment) -> bool:
        loop = self._loop
        lane = loop.lane_name(task.number)
        label = label_of(moment, lane)
        if self._site is not None:
            self._site(label, task)
        chosen = loop.policy.choose(ChoiceKind.CANCEL, 2, label)
        loop.picks.append(chosen)
        if chosen:
            self._strike(task, lane, moment)
        return bool(chosen)

    def _strike(self, task: Any, lane: str, moment: Moment) -> None:
        words = _words(task, moment)
        strike = Strike(
            task=task,
            lane=lane,
            moment=moment,
            words=words,
            ambiguous=_is_ambiguous(task),
            shielded=tuple(one for one in self._loop.made_tasks if _is_shielded(one)),
        )
        self.strikes.append(strike)
        self._struck[task.serial] = strike
        self.over = len(self.strikes) >= self._most
        if self._loop.watcher is not None:
            self._loop.watcher.chosen(words)
        on_cancel = None if self._operating is None else self._operating.get(task.number)
        if on_cancel is not None:
            on_cancel()
        elif self._told is not None:
            self._told(task.get_name())
        if task is not asyncio.current_task():
            task.cancel()


def _is_plain(task: Any) -> bool:
    """Return True for a task of the program: not of ``wait_for``, and no generator's end."""
    return task.caller is None and isinstance(task.get_coro(), (CoroutineType, GeneratorType))


def _waits(task: Any) -> bool:
    future = task._fut_waiter
    return future is not None and not future.done() and not task._must_cancel


def _is_cancelled_already(task: Any) -> bool:
    future = task._fut_waiter
    return task._must_cancel or (future is not None and future.done() and future.cancelled())


def _is_ambiguous(task: Any) -> bool:
    """Return True if a task waits for others that are cancelled: it takes ours for theirs."""
    future = task._fut_waiter
    waited = getattr(future, "_children", None) or (future,)
    return any(
        isinstance(one, asyncio.Task) and (one.cancelling() or (one.done() and one.cancelled()))
        for one in waited
    )


def _is_shielded(task: Any) -> bool:
    callbacks = task._callbacks or ()
    return any(
        getattr(one, "__qualname__", "").startswith("shield.")
        for callback in callbacks
        for one in (callback if isinstance(callback, tuple) else (callback,))
    )


def _words(task: Any, moment: Moment) -> str:
    """Say in plain words who is cancelled, where, and at what moment of its wait."""
    if task is asyncio.current_task() or not _has_begun(task):
        return f"task {task.get_name()} was cancelled before it began"
    where = place_in(frames_of(task))
    if moment is Moment.WOKEN:
        return f"task {task.get_name()} was cancelled at {where} while it was woken, not yet run"
    wait = wait_of(task)
    what = "something" if wait is None else wait.waits_for
    alone = ", as all others did" if moment is Moment.IDLE else ""
    return f"task {task.get_name()} was cancelled at {where} while it waited for {what}{alone}"


def _has_begun(task: Any) -> bool:
    coroutine = task.get_coro()
    return not isinstance(coroutine, CoroutineType) or coroutine.cr_suspended
