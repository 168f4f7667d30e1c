"""Cancellations as choices in programs: what is found, how it is told, and what is no failure."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from harness import explore
from harness.errors import BadInput, FailureFound
from harness.search.failures.token import Token
from tests.harness.search.cancelling import wrong_programs
from tests.harness.search.cancelling.wrong_programs import WRONG
from tests.there import there


def failure_of(main, **options):
    with pytest.raises(FailureFound) as found:
        explore(main, **{"runs": 100, "cancel": True, **options})
    return str(found.value)


@pytest.mark.parametrize("main", WRONG, ids=lambda main: main.__name__)
def test_what_a_cancellation_leaves_is_found_shrunk_named_and_replayed(main):
    explore(main, runs=20, allow=["one_order"])
    told = failure_of(main)
    assert WRONG[main] in told
    assert re.search(r"task \S.* was cancelled (at wrong_programs|at tests/\S+) ?", told) or (
        "was cancelled at" in told
    )
    token = there(re.search(r'replay="(mh3-[^"]+)"', told))[1]
    deviations = Token.read(token).tape.schedule
    assert all(one.kind == "cancel" for one in deviations)
    assert len(deviations) == (2 if "and task" in told else 1)
    with pytest.raises(FailureFound, match="failed in the same way"):
        explore(main, replay=token)


def test_the_window_between_wake_up_and_step_is_found_in_few_runs():
    told = failure_of(wrong_programs.a_place_that_is_lost_on_its_way, runs=50)
    assert "task use 1 was cancelled at" in told or "task use 2 was cancelled at" in told
    assert int(there(re.search(r"found in run (\d+)", told))[1]) < 50


@pytest.mark.parametrize("strategy", ["random", "pct", "awaits", "default", "exhaustive:1"])
def test_each_strategy_cancels_too(strategy):
    assert "was cancelled" in failure_of(
        wrong_programs.a_place_that_is_lost_on_its_way, strategy=strategy, runs=300
    )


def test_ready_tasks_can_be_permuted_beside():
    assert "was cancelled" in failure_of(wrong_programs.a_lock_without_finally, adversarial=True)


def test_without_the_option_nobody_is_cancelled():
    explore(wrong_programs.a_lock_without_finally, runs=50, allow=["one_order"])


@pytest.mark.parametrize("is_async", [False, True])
def test_a_check_is_made_when_all_has_ended(is_async):
    pool = SimpleNamespace(free=2)

    async def main():
        pool.free = 2

        async def use():
            pool.free -= 1
            await asyncio.sleep(0.01)
            pool.free += 1

        await asyncio.gather(use(), use())

    def check():
        assert pool.free == 2, f"{pool.free} are free"

    async def check_later():
        await asyncio.sleep(1)
        check()

    after = check_later if is_async else check
    explore(main, runs=20, after=after, allow=["one_order"])
    told = failure_of(main, after=after)
    assert "after the run: AssertionError: " in told


def test_a_check_of_the_end_also_judges_a_search_without_cancellations():
    async def main():
        await asyncio.sleep(0)

    def check():
        raise ValueError("it is wrong")

    assert "after the run: ValueError: it is wrong" in failure_of(main, cancel=False, after=check)


def test_after_must_be_something_to_call():
    async def main():
        pass

    wrong: Any = "pool.free == 2"
    with pytest.raises(BadInput, match="after: must be a function"):
        explore(main, after=wrong)


def test_what_the_main_task_asserts_is_of_a_run_without_cancellations():
    async def main():
        done = []

        async def work(name):
            await asyncio.sleep(0.01)
            done.append(name)

        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(work(name))
        assert len(done) == 3

    explore(main, runs=60, cancel=True)


def test_who_is_missing_is_no_failure():
    async def main():
        answered = asyncio.Event()

        async def answer():
            await asyncio.sleep(0.01)
            answered.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(answer())
            group.create_task(answered.wait())

    explore(main, runs=60, cancel=True)


def test_a_failure_that_needs_no_cancellation_is_told_without():
    async def main():
        queue = asyncio.Queue()
        await queue.get()

    assert "was cancelled" not in failure_of(main)


def test_an_error_of_which_somebody_is_about_to_be_told_is_no_lost_one():
    """The main task ends while another one has been woken, and not yet taken the error."""

    async def main():
        async def calls(text):
            try:
                return await asyncio.to_thread(int, text)
            except ValueError:
                return None

        await asyncio.gather(calls("x"), calls("1"))

    explore(main, runs=600, cancel=True)


def test_an_error_of_which_a_callback_is_told_that_does_not_take_it_is_lost():
    async def main():
        async def calls(text):
            future = asyncio.get_running_loop().run_in_executor(None, int, text)
            future.add_done_callback(lambda _future: None)
            await asyncio.wait([future])

        await asyncio.gather(calls("x"), asyncio.to_thread(int))

    assert "Future exception was never retrieved: ValueError" in failure_of(main)
