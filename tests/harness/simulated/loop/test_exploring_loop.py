"""The exploring loop: the default is asyncio's own order; every other order is one that can be."""

from __future__ import annotations

import asyncio
import itertools
import random
from functools import partial
from pathlib import Path
from random import Random

import pytest

from harness.backends.port import Orders
from harness.choices.kinds import ChoiceKind
from harness.runs.batch import read_scenarios
from harness.runs.opening import open_backend
from harness.runs.runner import carry_out
from harness.search.failures.tape_policy import PicksPolicy
from harness.search.strategies.default import DefaultOrder
from harness.search.strategies.random import RandomWalk
from harness.simulated.loop.callbacks import PLUMBING
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.loop.virtual_time import Drawn
from harness.simulated.repeated_runs import SearchRuns
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM
from tests.there import there

# A private function of asyncio's.
END_SLEEP = vars(asyncio.futures)["_set_result_unless_cancelled"]
# From CPython 3.14 on the end of a gather is told by a partial of it.
FORGETS = [one for name, one in vars(asyncio.tasks).items() if name == "_discard_awaited_by"]
SCENARIOS = read_scenarios([Path(__file__).parents[4] / "scenarios"])


def default():
    return DefaultOrder(0).begin(0)


def walk(seed):
    return RandomWalk(seed).begin(0)


class Always:
    """Chooses one index wherever it can."""

    def __init__(self, index: int) -> None:
        self.index = index

    def order(self, options):
        return min(self.index, len(options) - 1)

    def choose(self, kind, count, label):
        return 0


def runs_of(main, policies, **options):
    with SearchRuns(main, **options) as search:
        return [search.run(policy, seed=seed) for seed, policy in policies]


@pytest.mark.parametrize("adversarial", [False, True])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_by_default_a_scenario_runs_as_on_the_plain_loop(scenario, adversarial):
    system = load_system(scenario.system or DEFAULT_SYSTEM)
    backend = open_backend("simulated", needs_node=True)
    digests = [
        carry_out(
            scenario, backend, system=system, system_path=DEFAULT_SYSTEM, seed=5, orders=orders
        ).result.digest
        for orders in (None, Orders(policy=default(), adversarial=adversarial))
    ]
    assert digests[0] == digests[1]


def test_callbacks_of_one_task_keep_their_order_even_when_all_is_permuted():
    seen = []

    async def main():
        loop = asyncio.get_running_loop()
        for number in range(5):
            loop.call_soon(seen.append, number)
        await asyncio.sleep(0.1)

    for seed in range(30):
        seen.clear()
        runs_of(main, [(0, walk(seed))], adversarial=True)
        assert seen == [0, 1, 2, 3, 4]


def test_adversarial_runs_reach_every_order_of_three_tasks():
    orders = set()

    async def main():
        seen = []

        async def step(name):
            seen.append(name)

        await asyncio.gather(*(step(name) for name in "abc"))
        orders.add("".join(seen))

    runs_of(main, [(0, walk(seed)) for seed in range(200)], adversarial=True)
    assert orders == {"".join(order) for order in itertools.permutations("abc")}


def test_in_production_mode_ready_callbacks_are_never_permuted():
    seen = []

    async def main():
        async def step(name):
            seen.append(name)
            await asyncio.sleep(0)
            seen.append(name)

        await asyncio.gather(*(step(name) for name in "abc"))

    for policy in (default(), Always(2), walk(1)):
        seen.clear()
        runs_of(main, [(0, policy)])
        assert "".join(seen) == "abcabc"


def waiting_for(*latencies):
    """Make a program in which a process for each latency reports its end, by number."""
    ends = []

    async def main():
        ends.clear()
        loop = running_virtual_loop()

        def process(number, latency):
            yield loop.environment.timeout(latency)
            ends.append((number, loop.time()))

        await asyncio.gather(
            *(
                loop.future_of(loop.environment.process(process(number, latency)))
                for number, latency in enumerate(latencies)
            )
        )

    return main, ends


def test_what_comes_from_outside_may_come_in_any_order_that_its_latencies_allow():
    main, ends = waiting_for(Drawn.between(1, 2, 3), Drawn.between(1, 2.5, 3))
    orders = set()
    for index in range(2):
        runs_of(main, [(0, Always(index))])
        orders.add(tuple(number for number, _ in ends))
    assert orders == {(0, 1), (1, 0)}


def test_nothing_comes_before_its_window_or_after_it():
    latencies = [Drawn.between(1, 2, 3), Drawn.between(2, 4, 6), Drawn.between(1, 5, 9), 2.0, 30.0]
    main, ends = waiting_for(*latencies)
    for seed in range(200):
        runs_of(main, [(0, walk(seed))])
        for number, end_s in ends:
            latency = latencies[number]
            if isinstance(latency, Drawn):
                # A search stretches a profile's bounds four times.
                assert latency.low_s / 4 <= end_s <= latency.high_s * 4
            else:
                assert end_s == latency
        assert [end for _, end in ends] == sorted(end for _, end in ends)


def test_windows_that_do_not_meet_leave_no_choice():
    main, ends = waiting_for(Drawn.between(1, 1, 1), Drawn.between(100, 100, 100))
    run = runs_of(main, [(0, Always(1))])[0]
    assert [number for number, _ in ends] == [0, 1]
    assert run.picks == []


def test_timers_keep_their_order_in_production_mode():
    seen = []

    async def main():
        async def tick(delay):
            await asyncio.sleep(delay)
            seen.append(delay)

        await asyncio.gather(tick(0.3), tick(0.1), tick(0.2))

    for seed in range(20):
        seen.clear()
        runs_of(main, [(0, walk(seed))])
        assert seen == [0.1, 0.2, 0.3]


def test_time_may_run_ahead_of_a_ready_task_only_in_adversarial_mode():
    async def main():
        late = []
        asyncio.get_running_loop().call_later(0.5, late.append, True)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not late

    assert not any(run.failed for run in runs_of(main, [(0, walk(seed)) for seed in range(100)]))
    adversarial = runs_of(main, [(0, walk(seed)) for seed in range(100)], adversarial=True)
    assert any(run.failed for run in adversarial)


def test_time_runs_ahead_by_no_more_than_its_budget():
    async def main():
        loop = asyncio.get_running_loop()
        late = []
        for number in range(100):
            loop.call_later(0.3 * number, late.append, number)
        for _ in range(1_500):
            await asyncio.sleep(0)
        assert loop.time() <= 1.0
        late.clear()

    assert not any(
        run.failed
        for run in runs_of(main, [(0, walk(seed)) for seed in range(20)], adversarial=True)
    )


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_program_that_polls_for_a_moment_comes_to_it(adversarial):
    async def main():
        loop = asyncio.get_running_loop()
        while loop.time() < 1.0:
            await asyncio.sleep(0)
            loop.call_later(0.25, int)

    run = runs_of(main, [(0, default())], adversarial=adversarial)[0]
    assert not run.failed
    assert run.virtual_s >= 1.0


def test_a_run_that_does_not_end_is_ended():
    async def main():
        while True:  # noqa: ASYNC110 - this is what does not end
            await asyncio.sleep(0)

    for adversarial in (False, True):
        options = {"adversarial": adversarial, "steps_max": 20_000}
        run = runs_of(main, [(0, default())], **options)[0]
        assert run.pause is Pause.STEPS
        assert not run.failed, "a limit is no finding"
        assert run.cut.text.startswith("ended after 20,0")
        assert "test_exploring_loop.py" in run.cut.lines[0]


@pytest.mark.parametrize("adversarial", [False, True])
def test_polling_for_what_time_brings_ends(adversarial):
    async def polls_the_clock():
        loop = asyncio.get_running_loop()
        while loop.time() < 0.01:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0)

    async def polls_a_flag():
        done = []
        asyncio.get_running_loop().call_later(0.3, done.append, 1)
        while not done:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0)

    async def sleeps_less_than_the_clock_can_tell():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.1)
        while loop.time() == 0.1:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(1e-20)

    for main in (polls_the_clock, polls_a_flag, sleeps_less_than_the_clock_can_tell):
        options = {"adversarial": adversarial, "steps_max": 50_000}
        found = runs_of(main, [(0, default()), (1, walk(1))], **options)
        assert [(one.failed, one.cut) for one in found] == [(False, None)] * 2
        assert found[0].virtual_s < 0.4


@pytest.mark.parametrize("adversarial", [False, True])
def test_much_work_at_one_moment_outlasts_no_deadline(adversarial):
    async def main():
        items = asyncio.Queue(1)

        async def puts():
            for number in range(1_500):
                await items.put(number)

        async def gets():
            for _ in range(1_500):
                await items.get()

        await asyncio.wait_for(asyncio.gather(puts(), gets()), 5)

    assert not runs_of(main, [(0, default())], adversarial=adversarial)[0].failed


def test_no_order_keeps_a_task_back_for_ever():
    async def main():
        done = []

        async def sets():
            for _ in range(3):
                await asyncio.sleep(0)
            done.append(1)

        task = asyncio.create_task(sets())
        while not done:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0)
        await task

    class Last:
        """Keeps back whoever became ready first."""

        def order(self, options):
            return len(options) - 1

        def choose(self, kind, count, label):
            return 0

    found = runs_of(main, [(0, Last()), (0, Always(1))], adversarial=True)
    assert [one.failed for one in found] == [False, False]


def busy():
    async def main():
        lock, queue, seen = asyncio.Lock(), asyncio.Queue(2), []

        async def worker(number):
            await asyncio.sleep(0)
            async with lock:
                await queue.put(number)
                await asyncio.to_thread(seen.append, number)
            seen.append(await queue.get())

        await asyncio.gather(*(worker(number) for number in range(4)))

    return main


@pytest.mark.parametrize("adversarial", [False, True])
def test_picks_repeat_a_run_exactly(adversarial):
    main = busy()
    with SearchRuns(main, adversarial=adversarial) as search:
        for seed in range(40):
            run = search.run(walk(seed), seed=seed)
            again = search.run(PicksPolicy(run.picks), seed=seed)
            assert (again.order, again.picks, again.virtual_s) == (
                run.order,
                run.picks,
                run.virtual_s,
            )


def test_a_loop_that_serves_again_is_as_a_fresh_one():
    async def main():
        stream = Random()
        names = []

        async def part():
            names.append(there(asyncio.current_task()).get_name())
            await asyncio.sleep(stream.random())

        await asyncio.gather(*(part() for _ in range(3)))
        names.append(str(asyncio.get_running_loop().time()))
        raise LookupError(" ".join(names))

    def told(runs):
        return [(str(run.error), run.order, run.virtual_s) for run in runs]

    again = runs_of(main, [(seed, walk(seed)) for seed in range(10)], adversarial=True)
    fresh = [runs_of(main, [(seed, walk(seed))], adversarial=True)[0] for seed in range(10)]
    assert told(again) == told(fresh)
    assert len({str(run.error) for run in again}) == 10


def test_what_a_run_leaves_behind_does_not_reach_the_next():
    left = []

    async def main():
        async def stay():
            try:
                await asyncio.Event().wait()
            finally:
                left.append(there(asyncio.current_task()).get_name())

        tasks = [asyncio.create_task(stay()) for _ in range(2)]
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 3
        tasks.clear()

    runs = runs_of(main, [(0, default()) for _ in range(5)], adversarial=True)
    assert not any(run.failed for run in runs)
    assert len(left) == 10


@pytest.mark.parametrize("held", [False, True])
def test_random_follows_from_each_runs_own_seed(held):
    async def main():
        if random.random() < 0.5:
            random.shuffle(list(range(9)))
        raise LookupError(random.getrandbits(64), draw())

    # Whoever holds a function of the module draws from the same generator.
    taken = random.random if held else None
    draw = taken or (lambda: random.random())  # noqa: PLW0108 - looked up at each call
    first = [str(run.error) for run in runs_of(main, [(seed, default()) for seed in range(20)])]
    again = [str(runs_of(main, [(seed, default())])[0].error) for seed in range(20)]
    assert first == again
    assert len(set(first)) == 20


def test_an_error_that_nobody_took_fails_its_own_run_and_no_other():
    async def main():
        async def fail():
            raise LookupError("nobody takes it")

        if random.random() < 0.5:
            asyncio.create_task(fail())  # noqa: RUF006 - that is the mistake
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            raise ValueError("this run failed")

    runs = runs_of(main, [(seed, default()) for seed in range(40)], adversarial=True)
    assert {bool(run.unhandled) for run in runs} == {True, False}
    for run in runs:
        assert bool(run.unhandled) == (run.error is not None)
        assert all("nobody takes it" in one for one in run.unhandled)


def test_choices_besides_the_order_are_asked_of_the_policy_and_recorded():
    class Faults(Always):
        def choose(self, kind, count, label):
            return count - 1 if (kind, label) == (ChoiceKind.FAULT, "disk") else 0

    async def main():
        loop = running_virtual_loop()
        assert isinstance(loop, ExploringLoop)
        assert loop.choose(ChoiceKind.FAULT, 4, "disk") == 3
        assert loop.choose(ChoiceKind.FAULT, 4, "net") == 0

    run = runs_of(main, [(0, Faults(0))])[0]
    assert not run.failed, run.error
    assert run.picks == [3, 0]


@pytest.mark.parametrize(
    ("callback", "plumbing"),
    [
        (END_SLEEP, True),
        (partial(END_SLEEP, 1), False),
        (partial(asyncio.ensure_future, 1), False),
        (partial(walk, 1), False),
        *((partial(one, 1), True) for one in FORGETS),
        (default, False),
    ],
)
def test_only_what_is_asyncios_own_is_no_step_of_a_program(callback, plumbing):
    loop = ExploringLoop(policy=default())
    soon, later = loop.call_soon(callback), loop.call_later(0, callback)
    loop.now_ready(later)
    assert [soon.lane == PLUMBING, later.lane == PLUMBING] == [plumbing, plumbing]
    soon.cancel()
    loop.close()
