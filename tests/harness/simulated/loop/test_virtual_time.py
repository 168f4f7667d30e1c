"""Claims about virtual time that SimPy and asyncio share."""

from __future__ import annotations

import asyncio

import pytest
import simpy

from harness.errors import Unsupported
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.simulation import simulate
from tests.there import there


def value_of(main):
    outcome = simulate(main, seed=7)
    assert outcome.error is None, repr(outcome.error)
    assert outcome.diagnosis is None, outcome.diagnosis
    return outcome.value


def test_a_process_is_awaited_like_a_coroutine():
    async def main():
        loop = running_virtual_loop()

        def work():
            yield loop.environment.timeout(2)
            return "done"

        return await loop.future_of(loop.environment.process(work())), loop.time()

    assert value_of(main) == ("done", 2.0)


def test_timers_and_simpy_events_share_one_order():
    async def main():
        loop = running_virtual_loop()
        seen = []

        def work(name, delay):
            yield loop.environment.timeout(delay)
            seen.append(name)

        loop.environment.process(work("process 2", 2))
        loop.call_later(1, seen.append, "timer 1")
        loop.call_later(3, seen.append, "timer 3")
        await asyncio.sleep(4)
        return seen

    assert value_of(main) == ["timer 1", "process 2", "timer 3"]


def test_requests_and_conditions_can_be_awaited():
    async def main():
        loop = running_virtual_loop()
        environment = loop.environment
        resource = simpy.Resource(environment, capacity=1)
        seen = []

        async def use(name):
            with resource.request() as turn:
                await loop.future_of(turn)
                seen.append((name, loop.time()))
                await asyncio.sleep(1)

        await asyncio.gather(use("a"), use("b"))
        both = environment.timeout(1) & environment.timeout(5)
        await loop.future_of(both)
        return seen, loop.time()

    assert value_of(main) == ([("a", 0.0), ("b", 1.0)], 7.0)


def test_the_failure_of_an_event_is_raised_where_it_is_awaited():
    async def main():
        loop = running_virtual_loop()

        def fail():
            yield loop.environment.timeout(1)
            raise KeyError("broken")

        with pytest.raises(KeyError, match="broken"):
            await loop.future_of(loop.environment.process(fail()))
        return loop.time()

    assert value_of(main) == 1.0


def test_an_event_that_has_happened_is_ready_at_once():
    async def main():
        loop = running_virtual_loop()
        timeout = loop.environment.timeout(1, "value")
        await asyncio.sleep(2)
        return await loop.future_of(timeout), loop.time()

    assert value_of(main) == ("value", 2.0)


def test_a_cancelled_wait_takes_the_failure_of_its_event():
    async def main():
        loop = running_virtual_loop()

        def fail():
            yield loop.environment.timeout(5)
            raise KeyError("nobody is there")

        process = loop.environment.process(fail())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await loop.future_of(process)
        await asyncio.sleep(10)
        return process.ok

    assert value_of(main) is False


def test_a_failure_that_nobody_awaits_ends_the_run():
    async def main():
        loop = running_virtual_loop()

        def fail():
            yield loop.environment.timeout(1)
            raise KeyError("model broke")

        loop.environment.process(fail())
        await asyncio.sleep(10)

    outcome = simulate(main, seed=7)
    assert isinstance(outcome.error, KeyError)
    assert outcome.virtual_s == 1.0


def test_a_processs_end_wakes_in_the_order_of_the_clock():
    async def main():
        loop = running_virtual_loop()
        future = loop.create_future()

        def answer():
            yield loop.environment.timeout(3)
            future.set_result("by hand")

        loop.environment.process(answer())
        return await future, loop.time()

    assert value_of(main) == ("by hand", 3.0)


def ticking(environment, ticked):
    while True:
        yield environment.timeout(1)
        ticked.append(environment.now)


def test_a_background_process_hides_no_deadlock():
    ticked = []

    async def main():
        environment = running_virtual_loop().environment
        environment.background(ticking(environment, ticked))
        await asyncio.sleep(3.5)
        await asyncio.Event().wait()

    outcome = simulate(main, seed=7)
    assert outcome.pause is Pause.STUCK
    assert there(outcome.diagnosis).exact
    assert outcome.virtual_s == 3.5
    assert ticked[:3] == [1.0, 2.0, 3.0]


def test_the_children_of_a_background_process_are_background_too():
    async def main():
        environment = running_virtual_loop().environment
        ticked = []

        def parent():
            environment.process(ticking(environment, ticked))
            yield environment.timeout(1)

        environment.background(parent())
        await asyncio.Event().wait()

    assert simulate(main, seed=7).pause is Pause.STUCK


def test_a_background_process_still_brings_what_is_awaited():
    async def main():
        loop = running_virtual_loop()
        environment = loop.environment
        block = environment.event()

        def produce():
            for number in range(10):
                yield environment.timeout(3)
                if number == 4:
                    block.succeed("block 4")

        environment.background(produce())
        return await loop.future_of(block), loop.time()

    assert value_of(main) == ("block 4", 15.0)


def test_a_cancelled_wait_no_longer_keeps_the_background_alive():
    async def main():
        loop = running_virtual_loop()
        environment = loop.environment
        environment.background(ticking(environment, []))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await loop.future_of(environment.event())
        await asyncio.Event().wait()

    outcome = simulate(main, seed=7)
    assert outcome.pause is Pause.STUCK
    assert outcome.virtual_s == 2.0


def test_the_loser_of_a_race_hides_no_deadlock():
    async def main():
        loop = running_virtual_loop()
        environment = loop.environment

        def race():
            yield environment.timeout(1) | environment.timeout(1_000)

        await loop.future_of(environment.process(race()))
        await asyncio.Event().wait()

    outcome = simulate(main, seed=7)
    assert outcome.pause is Pause.STUCK
    assert outcome.virtual_s == 1.0


def test_a_background_timer_hides_no_deadlock_but_fires_in_time():
    fired = []

    async def main():
        loop = running_virtual_loop()
        loop.call_later_in_background(2, fired.append, "early")
        loop.call_later_in_background(60, fired.append, "late")
        await asyncio.sleep(5)
        await asyncio.Event().wait()

    outcome = simulate(main, seed=7)
    assert outcome.virtual_s == 5.0
    assert fired == ["early"]


def test_stepping_the_environment_by_hand_is_refused():
    async def main():
        running_virtual_loop().environment.run(until=5)

    error = simulate(main, seed=7).error
    assert isinstance(error, Unsupported)
    assert "loop.future_of(event)" in str(error)
