"""Errors that nobody takes, in whatever state they are, are told: all, and in one order."""

from __future__ import annotations

import asyncio

import pytest

from harness import FailureFound, explore, simulate
from harness.simulated.simulation import simulate as simulated


class Unreadable(Exception):
    def __repr__(self):
        raise RuntimeError("no repr")

    def __str__(self):
        raise RuntimeError("no str")


async def fails():
    raise Unreadable


async def loses_it():
    task = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    assert task.done()


@pytest.mark.parametrize("main", [fails, loses_it])
def test_an_error_that_cannot_be_read_is_told_by_its_class(main):
    with pytest.raises(FailureFound, match=r"Unreadable \(unreadable: RuntimeError\)"):
        explore(main, runs=3)


def test_such_a_lost_error_fails_a_simulation():
    with pytest.raises(FailureFound, match=r"Unreadable \(unreadable: RuntimeError\)"):
        simulate(loses_it)


def test_lost_errors_are_listed_in_the_order_of_their_tasks():
    held = []

    async def main():
        async def wrong():
            raise ValueError

        # So many that a set of addresses would hardly have them in this order.
        held.extend(asyncio.create_task(wrong()) for _ in range(40))
        await asyncio.sleep(1)

    told = simulated(main, seed=0).unhandled
    numbers = [int(one.partition("(task-")[2].partition(",")[0].partition(")")[0]) for one in told]
    assert numbers == sorted(numbers)
    assert len(numbers) == 40
