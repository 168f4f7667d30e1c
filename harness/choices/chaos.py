"""Faults and cancellations as choices: what may go wrong in a run, where, and until when."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from harness.choices.kinds import ChoiceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NODE_STATES", "WITHIN_S", "Chaos"]

# The faults at points of a client, and at points of a service, where SQLite may be busy.
CLIENT_FAULTS = ("fail", "hang", "die", "full")
SERVICE_FAULTS = ("busy",)

# The states of the node, or of the machine's disk, while a phase runs; their delay and duration.
NODE_STATES = ("cut", "freeze", "slow", "restart", "slow_disk")
NODE_AFTER_S = (0.0, 0.05, 0.5)
NODE_FOR_S = (0.2, 2.0, 20.0)

# After so many faults, or so much virtual time, nothing more goes wrong, so that the service has
# time to recover.
FAULTS_MAX = 4
STOPS_AFTER_S = 300.0

# An operation under chaos may wait for several of the service's own deadlines.
WITHIN_S = 1_200.0

KINDS = (*CLIENT_FAULTS, *SERVICE_FAULTS, *NODE_STATES, "cancel")


class Chaos:
    """The faults and cancellations of a run, each put to the chooser where it could strike.

    A run has only some kinds of faults, drawn from its seed (swarm testing, Groce et al., ISSTA
    2012): if every run had all kinds, the common would hide the rare, and some failures show only
    without a kind. Faults stop after a while, at the latest with the last phase.
    """

    def __init__(
        self,
        choose: Callable[[ChoiceKind, int, str], int],
        *,
        seed: int,
        clock: Callable[[], float],
    ) -> None:
        self._choose = choose
        self._clock = clock
        self.struck = 0
        self._stopped = False
        self._operating: dict[int, tuple[asyncio.Task[Any], str, Callable[[], None]]] = {}
        stream = Random(seed ^ 0x5EED_5A3A)  # noqa: S311 - not secrets
        drawn = [kind for kind in KINDS if stream.random() < 1 / 2]
        self.kinds = frozenset(drawn or [stream.choice(KINDS)])

    @property
    def over(self) -> bool:
        """True once nothing goes wrong any more."""
        return self._stopped or self.struck >= FAULTS_MAX or self._clock() > STOPS_AFTER_S

    @property
    def stopped(self) -> bool:
        """True after ``stop``, which also ends the faults of the scenario itself."""
        return self._stopped

    def stop(self) -> None:
        """End all faults."""
        self._stopped = True

    def at(self, point: str, whose: str, *, possible: tuple[str, ...]) -> str | None:
        """Choose which of the possible faults strikes at a point, or None."""
        kinds = [kind for kind in possible if kind in self.kinds]
        return self._one_of(kinds, f"{point} {whose}") if kinds else None

    @contextmanager
    def operating(self, operation: str, *, on_cancel: Callable[[], None]) -> Iterator[None]:
        """Let the block's awaits be choices of where to cancel the running task, once at most.

        ``on_cancel`` is called just before the cancellation.
        """
        task = asyncio.current_task()
        number = getattr(task, "number", 0)
        if task is None or not number or "cancel" not in self.kinds:
            yield
            return
        self._operating[number] = task, operation, on_cancel
        try:
            yield
        finally:
            self._operating.pop(number, None)

    def suspended(self, number: int) -> None:
        """Note that a task has come to an await, and cancel it there if that is chosen.

        As with a cancellation from outside, the task is cancelled while it waits.
        """
        if number not in self._operating or self.over:
            return
        operating = self._operating[number]
        task, operation, on_cancel = operating
        if task.done() or not self._choose(ChoiceKind.CANCEL, 2, operation):
            return
        self.struck += 1

        def cancel() -> None:
            # The operation may have ended meanwhile, and its task be at something else.
            if self._operating.get(number) is operating:
                del self._operating[number]
                on_cancel()
                task.cancel()

        task.get_loop().call_soon(cancel)

    def node_plan(self, phase: str) -> tuple[str, float, float] | None:
        """Choose the node's fault in a phase: its state, delay and duration (seconds), or None."""
        states = [state for state in NODE_STATES if state in self.kinds]
        state = self._one_of(states, f"node {phase}") if states else None
        if state is None:
            return None
        after_s = NODE_AFTER_S[self._choose(ChoiceKind.LATENCY, 3, f"node {phase} after")]
        return state, after_s, NODE_FOR_S[self._choose(ChoiceKind.LATENCY, 3, f"node {phase} for")]

    def _one_of(self, kinds: list[str], label: str) -> str | None:
        if self.over:
            return None
        chosen = self._choose(ChoiceKind.FAULT, 1 + len(kinds), label)
        if chosen == 0:
            return None
        self.struck += 1
        return kinds[chosen - 1]
