"""What varied between the runs of a search, and what a search of one order says of itself."""

from __future__ import annotations

import asyncio
import random

import pytest

from harness import explore
from harness.errors import BadInput, HealthCheckFailed
from harness.report.formats.search_terminal import search_lines
from harness.results.health.varied import recommended_runs
from harness.results.verdict import Verdict


async def sleeps():
    await asyncio.gather(asyncio.sleep(0.02), asyncio.sleep(0.03))


async def draws():
    async def doze():
        await asyncio.sleep(random.uniform(0.01, 0.03))

    await asyncio.gather(doze(), doze(), doze())


async def calls():
    await asyncio.gather(*(asyncio.to_thread(str) for _ in range(4)))


def test_a_search_of_one_order_is_an_error_that_says_how_to_make_it_vary():
    with pytest.raises(HealthCheckFailed) as found:
        explore(sleeps, runs=20)
    told = str(found.value)
    assert told.startswith("UNKNOWN")
    assert "one_order: all runs took one order" in told
    assert "random.uniform" in told
    assert 'allow = ["one_order"]' in told


def test_it_is_allowed_in_place():
    assert explore(sleeps, runs=20, allow=["one_order"]).verdict is Verdict.PASSED


def test_one_order_is_enough_where_it_is_proven_to_be_the_only_one():
    assert explore(sleeps, strategy="exhaustive").proven


async def polls():
    while asyncio.get_running_loop().time() < 0.01:  # noqa: ASYNC110 - it is one task
        await asyncio.sleep(0)


async def draws_behind_a_lock():
    lock = asyncio.Lock()

    async def one():
        async with lock:
            await asyncio.sleep(random.uniform(0.01, 0.03))

    await asyncio.gather(one(), one(), one())


@pytest.mark.parametrize("main", [polls, draws_behind_a_lock])
def test_it_is_proven_where_never_two_things_are_on_their_way(main):
    """One task has no other order, nor have several whose latencies vary one after another."""
    found = explore(main, runs=20)
    assert (found.verdict, found.distinct) == (Verdict.PASSED, 1)


async def sleeps_behind_a_lock():
    lock = asyncio.Lock()

    async def one():
        async with lock:
            await asyncio.sleep(0.01)

    await asyncio.gather(one(), one())


async def takes_turns():
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


@pytest.mark.parametrize("main", [sleeps_behind_a_lock, takes_turns])
def test_tasks_of_which_nothing_varied_prove_nothing(main):
    with pytest.raises(HealthCheckFailed):
        explore(main, runs=20)


@pytest.mark.parametrize("main", [draws, calls])
def test_several_orders_are_no_error(main):
    assert explore(main, runs=30).health == ()


def test_cancellations_make_it_vary():
    found = explore(sleeps, runs=30, cancel=True)
    assert "cancellations" in found.varied_texts[0]


def test_a_search_tells_what_varied_and_what_never_did():
    told = "\n".join(search_lines(explore(calls, runs=30)))
    assert "varied, in " in told
    assert "which of several arrivals comes next" in told
    assert "whether something comes while the loop is busy" in told
    assert "whether executor call str works before its result comes" in told
    assert "never varied: the order of ready tasks" in told


@pytest.mark.parametrize("names", [["two_orders"], "one_order"])
def test_an_unknown_health_check_is_refused(names):
    with pytest.raises(BadInput, match="allow: "):
        explore(sleeps, allow=names)


def test_the_budget_follows_the_curve_of_new_orders():
    saturated = [(1, 1), (2, 2), (10, 4), (50, 4), (100, 4)]
    assert recommended_runs(saturated) == 10
    assert recommended_runs([(1, 1), (10, 10), (100, 100)]) == 1_000
    growing = [(number, round(number**0.5)) for number in (1, 4, 16, 64, 100, 200)]
    assert 1_000 < recommended_runs(growing) < 10_000
    assert recommended_runs([]) == 1
