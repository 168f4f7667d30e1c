"""Tapes: written from any run, they repeat it; taken apart, each deviation keeps its meaning."""

from __future__ import annotations

import asyncio

import pytest

from harness.choices.kinds import ChoiceKind
from harness.choices.policies import StepWatcher
from harness.search.failures.tape import Deviation, Tape
from harness.search.failures.tape_policy import PicksPolicy, TapePolicy, TapeRecorder
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.pos import PartialOrderSampling
from harness.search.strategies.random import RandomWalk
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

ORDER = ChoiceKind.ORDER


async def workers():
    lock, queue, seen = asyncio.Lock(), asyncio.Queue(1), []

    async def worker(number):
        await asyncio.sleep(0)
        inner = asyncio.create_task(asyncio.sleep(0, number))
        async with lock:
            await queue.put(await inner)
            seen.append(await asyncio.to_thread(abs, number))
            await queue.get()

    await asyncio.gather(*(worker(number) for number in range(4)))


async def names():
    seen = []

    async def step(name):
        for _ in range(2):
            seen.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(step(name) for name in "abc"))
    raise LookupError("".join(seen))


def carry_out(program, tape):
    policy = TapePolicy(tape)
    return program.attempt(policy, seed=tape.seed, watcher=policy)


@pytest.mark.parametrize("adversarial", [False, True])
@pytest.mark.parametrize("strategy", [RandomWalk, PartialOrderSampling, PriorityChanges])
def test_a_recorded_tape_repeats_the_run(strategy, adversarial):
    proposes = strategy(7)
    with Program(workers, SearchTerms(adversarial=adversarial)) as program:
        for number in range(60):
            run = program.attempt(proposes.begin(number), seed=number)
            writer = TapeRecorder(PicksPolicy(run.picks))
            assert program.attempt(writer, seed=number, watcher=writer).order == run.order
            again = carry_out(program, writer.tape(number))
            assert again.order == run.order
            assert again.virtual_s == run.virtual_s
            proposes.finish(run)


def order_of(*deviations):
    with Program(names, SearchTerms(adversarial=True)) as program:
        run = carry_out(program, Tape(seed=0, schedule=deviations))
    return run.failure.headline.removeprefix("LookupError: ")


def test_without_deviations_the_order_is_asyncios_own():
    assert order_of() == "abcabc"


@pytest.mark.parametrize(
    ("deviations", "order"),
    [
        ([Deviation(ORDER, "1.1", 0, 1)], "bacbac"),
        ([Deviation(ORDER, "1.1", 0, 1_000_000)], "bcbcaa"),
        ([Deviation(ORDER, "1.2", 1, 1_000_000)], "abcacb"),
        ([Deviation(ORDER, "1.1", 0, 9), Deviation(ORDER, "1.2", 0, 9)], "ccaabb"),
        ([Deviation(ORDER, "9.9", 0, 3)], "abcabc"),
    ],
)
def test_a_deviation_keeps_one_step_of_one_lane_back(deviations, order):
    assert order_of(*deviations) == order


def test_lanes_are_named_by_ancestry_whatever_the_order():
    found = set()

    async def main():
        async def child():
            await asyncio.sleep(0)

        async def parent():
            await asyncio.gather(child(), child())

        await asyncio.gather(parent(), parent())

    class Names(StepWatcher):
        def bind(self, loop):
            self.name = loop.lane_name

        def begins(self, handle, overtaken):
            if handle.lane > 0:
                found.add(self.name(handle.lane))

    with Program(main, SearchTerms(adversarial=True)) as program:
        for seed in range(20):
            program.attempt(RandomWalk(seed).begin(0), seed=0, watcher=Names())
    assert found == {"1", "1.1", "1.2", "1.1.1", "1.1.2", "1.2.1", "1.2.2"}


def test_a_tape_numbers_the_choices_of_a_kind_and_label():
    class Program:
        def order(self, options):
            return 0

        def choose(self, kind, count, label):
            return count - 1

    writer = TapeRecorder(Program())
    writer.choose(ChoiceKind.FAULT, 2, "client.sync")
    writer.choose(ChoiceKind.FAULT, 2, "client.sync")
    tape = writer.tape(4)
    assert [one.nth for one in tape.schedule] == [0, 1]
    less = tape.with_deviations(tape.schedule[1:])
    policy = TapePolicy(less)
    assert [policy.choose(ChoiceKind.FAULT, 2, "client.sync") for _ in range(3)] == [0, 1, 0]
