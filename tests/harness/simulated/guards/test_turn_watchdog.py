"""A simulated run whose code never yields is ended, with the line that never does."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import pytest

from harness.simulated.guards.turn_watchdog import NeverYields, TurnWatchdog
from harness.simulated.loop.trace import Trace
from harness.simulated.simulation import simulate


def test_a_loop_without_a_wait_is_ended_with_its_line():
    async def main() -> None:
        there = asyncio.Event()
        there.set()
        while True:
            await there.wait()

    trace = Trace()
    with TurnWatchdog(lambda: trace.step_count + len(trace.steps), cpu_s=0.1):
        ran = simulate(main, seed=0, trace=trace)
    assert isinstance(ran.error, NeverYields)
    assert "test_turn_watchdog.py" in str(ran.error)


def test_a_long_run_that_yields_goes_on():
    async def main() -> int:
        count = 0
        while count < 200_000:
            await asyncio.sleep(0.001)
            count += 1
        return count

    trace = Trace()
    with TurnWatchdog(lambda: trace.step_count + len(trace.steps), cpu_s=0.05):
        assert simulate(main, seed=0, trace=trace).value == 200_000


def test_the_timer_and_the_handler_are_put_back():
    before = signal.getsignal(signal.SIGVTALRM)
    with TurnWatchdog(lambda: 0):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_the_message_needs_no_program_line():
    with TurnWatchdog(lambda: 7):
        look: Any = signal.getsignal(signal.SIGVTALRM)
        look(signal.SIGVTALRM, None)
        with pytest.raises(NeverYields, match="no turn for the loop"):
            look(signal.SIGVTALRM, None)
