"""Programs that wait for the clock without waiting: time goes on for them as on a real loop."""

from __future__ import annotations

import asyncio

import pytest

from harness import Verdict, explore
from harness.simulated.simulation import run


def test_polling_with_sleep_0_takes_time_as_on_a_real_clock():
    async def main():
        loop = asyncio.get_running_loop()
        while loop.time() < 0.01:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0)
        return loop.time()

    assert 0.01 <= run(main, seed=7) < 0.02


async def sets_a_timer_for_now_until_the_clock_goes_on():
    """Wait as a limiter does whose reckoning is off by a rounding error."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    end_s = loop.time() + 1

    def again():
        if loop.time() < end_s:
            # It asks for a moment that is not quite the end.
            loop.call_at(max(loop.time(), end_s - 1e-09), again)
        else:
            over.set()

    again()
    await over.wait()
    return loop.time()


def test_timers_for_now_that_wait_for_the_clock_come_to_an_end():
    assert 1 <= run(sets_a_timer_for_now_until_the_clock_goes_on, seed=7) < 1.001


async def sleeps_shorter_than_the_clock_can_tell():
    """Wait as a limiter does that computes how long: it comes to such sleeps by rounding."""
    loop = asyncio.get_running_loop()
    loop.call_later(0.1000051, int)
    await asyncio.sleep(0.1)
    while loop.time() < 0.1001:  # noqa: ASYNC110 - polling is what this is about
        await asyncio.sleep(1e-20)
    return loop.time()


def test_sleeps_shorter_than_the_clock_can_tell_take_time_too():
    assert 0.1001 <= run(sleeps_shorter_than_the_clock_can_tell, seed=7) < 0.11


@pytest.mark.parametrize(
    "main", [sets_a_timer_for_now_until_the_clock_goes_on, sleeps_shorter_than_the_clock_can_tell]
)
@pytest.mark.parametrize("adversarial", [False, True])
def test_they_do_in_a_search(main, adversarial):
    found = explore(main, runs=3, adversarial=adversarial, allow=["one_order"])
    assert found.verdict is Verdict.PASSED
    assert found.steps_total < 1_000


def test_timers_for_now_of_two_tasks_that_take_turns_come_to_an_end():
    async def main():
        loop = asyncio.get_running_loop()
        turns = [asyncio.Event(), asyncio.Event()]

        async def waits(mine, others):
            while loop.time() < 0.001:
                await turns[mine].wait()
                turns[mine].clear()
                loop.call_at(loop.time(), turns[others].set)

        turns[0].set()
        await asyncio.gather(waits(0, 1), waits(1, 0))

    run(main, seed=7)


def test_single_timers_for_now_at_many_moments_take_no_time():
    async def main():
        for second in range(1, 200):
            await asyncio.sleep(1)
            await asyncio.sleep(1e-20)
            assert asyncio.get_running_loop().time() == second

    run(main, seed=7)


def test_a_chain_of_many_tasks_timers_at_one_moment_takes_no_time():
    async def main():
        await asyncio.sleep(1)
        for _ in range(1_000):
            # Too little to tell in a float.
            await asyncio.gather(asyncio.sleep(1e-30), asyncio.sleep(1e-30))
        return asyncio.get_running_loop().time()

    assert run(main, seed=7) == 1


def test_many_steps_at_one_moment_take_no_time_while_tasks_come_and_go():
    async def main():
        for _ in range(20_000):
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(4)))
        return asyncio.get_running_loop().time()

    assert run(main, seed=7) == 0.0
