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

# What may go wrong at a point of a client's life, and what elsewhere: SQLite is busy.
CLIENT_FAULTS = ("fail", "hang", "die", "full")
SERVICE_FAULTS = ("busy",)

# What may become of the node, or of the machine's disk, while a phase runs, and for how long.
NODE_STATES = ("cut", "freeze", "slow", "restart", "slow_disk")
NODE_AFTER_S = (0.0, 0.05, 0.5)
NODE_FOR_S = (0.2, 2.0, 20.0)

# After so many faults, and after so much virtual time, nothing more goes wrong: what recovers must
# be given the time to do so.
FAULTS_MAX = 4
STOPS_AFTER_S = 300.0

# An operation under chaos may wait for several of the service's own deadlines.
WITHIN_S = 1_200.0

KINDS = (*CLIENT_FAULTS, *SERVICE_FAULTS, *NODE_STATES, "cancel")


class Chaos:
    """Asks whoever decides the run, wherever something can go wrong, whether it does.

    Each run has kinds of its own, drawn from its seed (swarm testing, Groce et al., ISSTA 2012):
    with all kinds on at once the rare ones drown in the common ones, and a run without a kind shows
    what only shows without it. Faults stop after a while, and in any case with the last phase.
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
        """True once all is to be well: what a scenario itself lets go wrong stops with it."""
        return self._stopped

    def stop(self) -> None:
        """Let nothing go wrong from now on."""
        self._stopped = True

    def at(self, point: str, whose: str, *, possible: tuple[str, ...]) -> str | None:
        """Say which of the possible faults strikes at a point, or None."""
        kinds = [kind for kind in possible if kind in self.kinds]
        return self._one_of(kinds, f"{point} {whose}") if kinds else None

    @contextmanager
    def operating(self, operation: str, *, on_cancel: Callable[[], None]) -> Iterator[None]:
        """Have the running task cancelled at one of its awaits in here, if that is chosen.

        ``on_cancel`` is called as it is.
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
        """Take note that a task has come to its next await, and cancel it there if so chosen.

        The cancellation comes as one from outside does: while the task waits, before what it waits
        for.
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
        """Say what becomes of the node in a phase: its state, after how long, for how long."""
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
