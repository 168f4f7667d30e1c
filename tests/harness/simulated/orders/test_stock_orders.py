"""Production mode has every order that stock asyncio takes when it is busy, and keeps its rules."""

from __future__ import annotations

import asyncio
import gc
import time
from functools import partial

import pytest

from harness.api.exploration import explore
from harness.errors import BadInput, FailureFound, Unsupported
from harness.search.strategies.random import RandomWalk
from harness.simulated.repeated_runs import SearchRuns
from harness.simulated.simulation import simulate
from tests.harness.simulated.orders.differential import compared, stock_logs
from tests.harness.simulated.orders.drawn_programs import DrawnProgram
from tests.harness.simulated.orders.guided_search import GuidedSearch


def logs_of(main, *, runs=150, **options):
    """Run a program that returns its log in many drawn orders; return the logs."""
    logs = set()

    async def told():
        logs.add(tuple(await main()))

    with SearchRuns(told, **options) as search:
        for seed in range(runs):
            assert not search.run(RandomWalk(seed).begin(seed), seed=seed).failed
    return logs


def test_every_order_of_stock_asyncio_is_found_in_production_mode():
    found = compared(range(40), seeds=range(8), runs_max=3_000)
    assert found.orders > found.programs
    assert found.missed == []


def test_stock_asyncio_takes_more_than_one_order_of_many_programs():
    several = [len(stock_logs(DrawnProgram(one), seeds=range(12))) > 1 for one in range(40)]
    assert sum(several) >= 12


def test_an_order_that_stock_asyncio_never_takes_is_not_found():
    program = DrawnProgram(0)
    (log, *_) = stock_logs(program, seeds=range(1))
    with GuidedSearch(program) as search:
        assert search.reaches(log)
        assert not search.reaches([*log[1:], log[0]], runs_max=200)


@pytest.mark.parametrize("busy_ms", [0, 2])
def test_what_a_real_loop_with_real_threads_does_is_found(busy_ms):
    """Orders only: the machine's own delays are its own."""

    class Asks(DrawnProgram):
        real = True

        def _in_thread(self, number, index):
            if self.real:
                time.sleep(busy_ms / 1e3 * number)
            return 0

    program = Asks(3)
    program.plan = [[("asks", 0, 0), ("yields", 0, 0)], [("yields", 0, 0), ("asks", 0, 0)]]
    logs = []
    for _ in range(8):
        program.expected = None
        asyncio.run(program.main())
        logs.append(program.log)
    program.real = False
    with GuidedSearch(program) as search:
        assert all(search.reaches(log) for log in logs)


async def two_threads():
    seen = []

    async def one(name):
        await asyncio.to_thread(str)
        seen.append(name)
        await asyncio.sleep(0)
        seen.append(name.upper())

    await asyncio.gather(one("a"), one("b"))
    return seen


def test_two_results_may_come_in_one_pass():
    texts = {"".join(log) for log in logs_of(two_threads)}
    assert texts == {"aAbB", "abAB", "baBA", "bBaA"}


def test_a_timer_and_a_result_may_come_in_one_pass():
    async def main():
        seen = []

        async def asks():
            await asyncio.to_thread(str)
            seen.append("a")
            await asyncio.sleep(0)
            seen.append("A")

        async def sleeps():
            await asyncio.sleep(0.003)
            seen.append("s")
            await asyncio.sleep(0)
            seen.append("S")

        await asyncio.gather(asks(), sleeps())
        return seen

    texts = {"".join(log) for log in logs_of(main)}
    assert {"asAS", "saSA", "aAsS", "sSaA"} <= texts


async def ticks(*delays_ms):
    seen = []

    async def tick(delay_ms):
        await asyncio.sleep(delay_ms / 1e3)
        seen.append(delay_ms)
        await asyncio.sleep(0)
        seen.append(-delay_ms)

    await asyncio.gather(*map(tick, delays_ms))
    return seen


def test_timers_of_one_moment_may_come_in_one_pass_or_in_two():
    assert logs_of(partial(ticks, 10, 10)) == {(10, 10, -10, -10), (10, -10, 10, -10)}


def test_timers_within_the_bound_may_change_places_and_others_never_do():
    near = {log[:1] for log in logs_of(partial(ticks, 14, 10))}
    far = {log[:1] for log in logs_of(partial(ticks, 16, 10))}
    assert near == {(10,), (14,)}
    assert far == {(10,)}


def test_what_was_set_first_for_no_longer_never_comes_last():
    assert {log[0] for log in logs_of(partial(ticks, 10, 14))} == {10}


async def two_timers_set_by_two_tasks(sets_second):
    """Set two timers at two moments near each other; ``sets_second`` sets the later one."""
    loop, log = asyncio.get_running_loop(), []
    begun_s = loop.time()

    async def first():
        await asyncio.sleep(0.010)
        log.append("A is set")
        loop.call_later(0.003, log.append, "a")

    async def second():
        await asyncio.sleep(0.0105)
        log.append("B is set")
        sets_second(loop, begun_s, log)

    await asyncio.gather(first(), second())
    await asyncio.sleep(1)
    return log


def test_what_another_task_set_later_for_longer_never_comes_first():
    def for_longer(loop, _begun_s, log):
        loop.call_later(0.004, log.append, "b")

    logs = logs_of(partial(two_timers_set_by_two_tasks, for_longer))
    assert ("A is set", "B is set", "b", "a") not in logs
    assert ("A is set", "B is set", "a", "b") in logs


def test_it_may_where_its_moment_was_reckoned_before():
    """The first task may be late, when the moment is known already."""

    def at_a_moment(loop, begun_s, log):
        loop.call_at(begun_s + 0.0145, log.append, "b")

    logs = logs_of(partial(two_timers_set_by_two_tasks, at_a_moment))
    assert ("A is set", "B is set", "b", "a") in logs


def test_the_bound_is_a_setting():
    assert {log[0] for log in logs_of(partial(ticks, 14, 10), late_ms=0.0)} == {10}
    assert {log[0] for log in logs_of(partial(ticks, 40, 10), late_ms=50.0)} == {10, 40}


def test_a_timer_that_is_due_at_once_may_come_after_one_that_was_set_before_it():
    async def main():
        seen = []
        loop = asyncio.get_running_loop()
        loop.call_later(0.002, seen.append, "in 2 ms")
        loop.call_later(0.0, seen.append, "at once")
        loop.call_soon(seen.append, "soon")
        await asyncio.sleep(0.02)
        return seen

    assert logs_of(main) == {("soon", "at once", "in 2 ms"), ("soon", "in 2 ms", "at once")}


def test_timers_that_are_due_at_once_never_come_in_two_passes():
    async def main():
        seen = []
        loop = asyncio.get_running_loop()

        def comes(name):
            seen.append(name)
            loop.call_soon(seen.append, name.upper())

        loop.call_later(0.002, seen.append, "2 ms")
        loop.call_later(0.0, comes, "a")
        loop.call_later(0.0, comes, "b")
        await asyncio.sleep(0.02)
        return seen

    assert logs_of(main) == {
        ("2 ms", "a", "b", "A", "B"),
        ("a", "2 ms", "b", "A", "B"),
        ("a", "b", "2 ms", "A", "B"),
        ("a", "b", "A", "B", "2 ms"),
    }


def test_a_timer_of_one_moment_may_come_any_number_of_passes_after_another():
    async def main():
        seen = []
        for name in ("first", "second"):
            asyncio.get_running_loop().call_later(0.003, seen.append, name)
        for number in range(4):
            await asyncio.sleep(0)
            seen.append(number)
        return list(seen)

    logs = logs_of(main, runs=400)
    assert {
        (0, "first", "second", 1, 2, 3),
        (0, "first", 1, "second", 2, 3),
        (0, "first", 1, 2, "second", 3),
        (0, "first", 1, 2, 3),
    } <= logs
    assert all(log.index("first") < log.index("second") for log in logs if "second" in log)


def test_a_deadline_comes_before_sleeps_that_were_set_after_it_and_last_as_long():
    async def main():
        times = 0
        try:
            async with asyncio.timeout(0.03):
                while True:
                    await asyncio.sleep(0.01)
                    times += 1
        except TimeoutError:
            return [times]

    assert logs_of(main) == {(2,)}


def test_time_never_runs_further_ahead_of_a_ready_task_than_the_bound():
    async def main():
        late = []
        asyncio.get_running_loop().call_later(0.006, late.append, True)
        for _ in range(30):
            await asyncio.sleep(0)
        return late

    assert logs_of(main) == {()}
    assert (True,) in logs_of(main, late_ms=8.0)


def test_a_thread_may_read_long_before_its_result_comes():
    async def main():
        items = []

        async def counts():
            return await asyncio.to_thread(len, items), len(items)

        async def adds():
            await asyncio.to_thread(str)
            items.append("one")

        return (await asyncio.gather(counts(), adds()))[0]

    assert logs_of(main) == {(0, 0), (1, 1), (0, 1)}


def test_a_thread_may_read_before_the_next_callback_of_the_pass_runs():
    async def main():
        items = []

        async def adds():
            items.append("one")

        adding = asyncio.ensure_future
        reading = asyncio.get_running_loop().run_in_executor(None, items.copy)
        await asyncio.gather(reading, adding(adds()))
        return await reading

    assert logs_of(main) == {(), ("one",)}


def test_a_run_of_nothing_but_defaults_takes_asyncios_own_order():
    assert logs_of(two_threads, runs=1) <= {("a", "A", "b", "B"), ("b", "B", "a", "A")}


@pytest.mark.parametrize("late_ms", [-1, 60_001, float("nan"), "5", True])
def test_a_bound_that_is_none_is_refused(late_ms):
    with pytest.raises(BadInput, match=r"late_ms: must be 0 to 60,000 milliseconds, got"):
        explore(two_threads, late_ms=late_ms)


async def unheld():
    async def stores():
        await asyncio.get_running_loop().create_future()

    asyncio.create_task(stores())  # noqa: RUF006 - nobody holds it: that is the point
    await asyncio.sleep(0.1)


def test_a_task_that_nobody_holds_may_be_collected():
    with pytest.raises(FailureFound, match=r"Task was destroyed but it is pending! \(task-2"):
        explore(unheld, runs=200, allow=["leaked_tasks"])


def test_a_program_that_collects_garbage_loses_such_a_task():
    left = []

    async def main():
        await unheld()
        gc.collect()
        left.append(len(asyncio.all_tasks()))

    with SearchRuns(main) as search:
        search.run(RandomWalk(0).begin(0))
    assert left == [1]


def test_a_task_that_is_held_is_not_collected():
    async def main():
        waits = asyncio.get_running_loop().create_future()

        async def stores():
            await waits

        task = asyncio.create_task(stores())
        await asyncio.sleep(0.1)
        waits.set_result(None)
        await task

    explore(main, runs=100, allow=["one_order"])


def own_factory(loop, coro, **options):
    return asyncio.Task(coro, loop=loop, **options)


@pytest.mark.parametrize(
    ("factory", "told"),
    [
        (own_factory, r"set_task_factory\(own_factory\): tasks must be"),
        (getattr(asyncio, "eager_task_factory", None), r"eager_task_factory\): .* in turn"),
    ],
)
def test_a_factory_of_tasks_is_refused_by_name(factory, told):
    if factory is None:
        pytest.skip("from CPython 3.12 on")

    async def main():
        asyncio.get_running_loop().set_task_factory(factory)

    error = simulate(main, seed=0).error
    assert isinstance(error, Unsupported)
    with pytest.raises(Unsupported, match=told):
        raise error
