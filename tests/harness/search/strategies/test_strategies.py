"""Strategies propose runs that depend on their seed alone, and find what each is made for."""

from __future__ import annotations

import asyncio

import pytest

from harness.choices.kinds import ChoiceKind
from harness.search.explorer import Budget, explore_subject
from harness.search.failures.shrinking import LONG, shrink_schedule
from harness.search.failures.tape import Deviation, Tape
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

SAMPLING = ("random", "pct:3", "pos", "delays:3", "holders")


async def turns(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def three_tasks():
    async def work():
        await turns(4)

    await asyncio.gather(work(), work(), work())


async def crossed():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one, other, after):
        await turns(after)
        async with one:
            await turns(1)
            async with other:
                await turns(1)

    await asyncio.gather(take(first, second, 0), take(second, first, 6))


async def all_leave():
    present = 6

    async def leave(after):
        nonlocal present
        await turns(after)
        others_stay = present > 4
        await turns(1)
        if others_stay:
            present -= 1

    await asyncio.gather(*(leave(4 * number) for number in range(6)))
    assert present > 1


async def two_late():
    arrived = []

    async def arrive(name):
        if name == "a":
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(0)
        arrived.append(name)

    async def close():
        await turns(4)
        assert arrived

    await asyncio.gather(arrive("a"), arrive("b"), close())


def explored(main, strategy, *, runs=500, adversarial=True):
    return explore_subject(
        Program(main, SearchTerms(adversarial=adversarial)),
        strategy_named(strategy, seed=3),
        budget=Budget(runs=runs),
        first=True,
    )


def picks_of(strategy, runs):
    """Run a strategy's runs of these numbers; return what each decided in the last one."""
    with Program(three_tasks, SearchTerms(adversarial=True)) as subject:
        for run in runs:
            attempt = subject.attempt(
                strategy.begin(run), seed=0, watcher=strategy.watcher, locks=strategy.locks
            )
        return attempt.picks


@pytest.mark.parametrize("name", SAMPLING)
def test_a_run_depends_on_its_number_and_the_seed_alone(name):
    alone = picks_of(strategy_named(name, seed=3), [7])
    after_others = picks_of(strategy_named(name, seed=3), [0, 1, 2, 7])
    assert alone == after_others


@pytest.mark.parametrize("name", ["random", "pct:3", "pos"])
def test_another_seed_proposes_other_runs(name):
    assert picks_of(strategy_named(name, seed=3), [7]) != picks_of(
        strategy_named(name, seed=4), [7]
    )


def test_awaits_tells_one_line_apart_by_what_led_to_it():
    found = explored(crossed, "awaits")
    assert found.failures[0].cause.startswith("deadlock at ")
    assert found.failures[0].runs_to_find <= 10


def test_awaits_keeps_all_that_come_to_a_line_back_together():
    found = explored(all_leave, "awaits")
    assert found.failures[0].runs_to_find <= 60
    assert found.failures[0].deviations == 3


def test_awaits_keeps_two_back_at_two_lines():
    found = explored(two_late, "awaits")
    assert found.failures[0].deviations == 2


def test_awaits_comes_to_an_end():
    found = explored(three_tasks, "awaits", runs=2_000)
    assert found.failures == ()
    assert 3 < found.runs < 500


def test_shrinking_makes_one_delay_of_two_of_one_lane():
    tape = Tape(
        seed=0,
        schedule=tuple(
            Deviation(ChoiceKind.ORDER, lane, nth, 2)
            for lane, nth in (("1.1", 0), ("1.2", 0), ("1.1", 1))
        ),
    )

    def fails(tried):
        return sum(one.value for one in tried.schedule if one.where == "1.1") >= 4

    shrunk = shrink_schedule(tape, fails)
    assert shrunk.tape.schedule == (Deviation(ChoiceKind.ORDER, "1.1", 0, 4),)


def test_shrinking_ends_where_no_two_delays_can_be_joined():
    kept = (
        Deviation(ChoiceKind.ORDER, "1.1", 0, 1),
        Deviation(ChoiceKind.ORDER, "1.1", 3, 1),
        Deviation(ChoiceKind.FAULT, "store", 0, 1),
        Deviation(ChoiceKind.FAULT, "store", 1, 1),
    )
    tape = Tape(seed=0, schedule=kept)
    shrunk = shrink_schedule(tape, lambda tried: set(tried.schedule) >= set(kept), sites=())
    assert shrunk.tape.schedule == kept
    assert shrunk.runs < 60


def test_shrinking_tries_one_long_delay_first():
    site = Deviation(ChoiceKind.ORDER, "1.1", 2, LONG)
    tape = Tape(
        seed=0,
        schedule=tuple(Deviation(ChoiceKind.ORDER, "1.2", nth, 1) for nth in range(9)),
    )
    shrunk = shrink_schedule(
        tape,
        lambda tried: (
            len(tried.schedule) == 9
            or any(one.where == "1.1" and one.value >= 5 for one in tried.schedule)
        ),
        sites=[site],
    )
    assert shrunk.tape.schedule == (site._replace(value=5),)
