"""Every order is run, equivalent ones once, and only a finished search calls itself a proof."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from harness.choices.kinds import ChoiceKind
from harness.errors import BadInput
from harness.search.exhaustive.search import Exhaustive
from harness.search.explorer import Budget, explore_subject
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms
from harness.simulated.repeated_runs import SearchRuns
from tests.harness.search.exhaustive import random_programs as programs
from tests.harness.search.exhaustive import rarer_operations
from tests.there import there


def searched(main, *, adversarial=True, runs_max=30_000, **options):
    """Run a search to its end; return the strategy and the runs that failed."""
    strategy, failed = Exhaustive(**options), []
    with SearchRuns(main, adversarial=adversarial) as searching:
        while not strategy.exhausted and strategy.runs < runs_max:
            policy = strategy.begin(strategy.runs)
            found = searching.run(policy, watcher=strategy.watcher)
            strategy.finish(found)
            if found.failed:
                failed.append(found)
    return strategy, failed


def locked(tasks, *, times=1):
    async def main():
        lock, box = asyncio.Lock(), {"n": 0}

        async def work():
            for _ in range(times):
                async with lock:
                    seen = box["n"]
                    await asyncio.sleep(0)
                    box["n"] = seen + 1

        await asyncio.gather(*(work() for _ in range(tasks)))
        assert box["n"] == tasks * times

    return main


def unlocked(tasks):
    async def main():
        box = {"n": 0}

        async def work():
            seen = box["n"]
            await asyncio.sleep(0)
            box["n"] = seen + 1

        await asyncio.gather(*(work() for _ in range(tasks)))
        assert box["n"] == tasks

    return main


def independent(tasks, *, group):
    async def main():
        async def work():
            box = {"n": 0}
            for _ in range(3):
                seen = box["n"]
                await asyncio.sleep(0)
                box["n"] = seen + 1

        if group:
            async with asyncio.TaskGroup() as making:
                for _ in range(tasks):
                    making.create_task(work())
        else:
            await asyncio.gather(*(work() for _ in range(tasks)))

    return main


async def two_locks():
    first, second = asyncio.Lock(), asyncio.Lock()

    async def take(one, other):
        async with one:
            await asyncio.sleep(0)
            async with other:
                pass

    await asyncio.gather(take(first, second), take(second, first))


PROGRAMS = 58
NIGHTLY = [pytest.param(share, marks=pytest.mark.nightly) for share in range(2, 8)]


@pytest.mark.parametrize("share", [0, 1, *NIGHTLY])
def test_reduction_loses_no_outcome_of_a_random_program(share):
    compared = 0
    for seed in range(share * PROGRAMS, (share + 1) * PROGRAMS):
        tasks, length = ((2, 2), (3, 1), (2, 3), (3, 2))[seed % 4]
        main, runs = programs.random_program(seed, tasks=tasks, length=length)
        full, all_seen = programs.outcomes_of(main, runs, reduced=False, runs_max=400)
        if full is None:
            continue
        compared += 1
        reduced, seen = programs.outcomes_of(main, runs, reduced=True)
        assert seen == all_seen, (seed, main.plan)
        # Where too little is seen of the first run, it is repeated unobserved.
        assert reduced.runs <= full.runs + (reduced.given_up is not None), (seed, main.plan)
        assert reduced.unsteady is None
    # Over the eight shares at least 300.
    assert compared >= 38


@pytest.mark.parametrize(
    ("main", "classes", "orders"),
    [
        (independent(2, group=False), 1, 70),
        (independent(3, group=True), 1, None),
        (unlocked(2), 4, 6),
        (unlocked(3), 36, 90),
        # More than n!: whether a task asks for the lock before or after its release by another
        # shows, since it waits in the one case and not in the other.
        (locked(2), 4, 4),
        (locked(3), 36, 36),
    ],
    ids=["2 independent", "3 in a group", "unlocked 2", "unlocked 3", "locked 2", "locked 3"],
)
def test_orders_that_no_program_can_tell_apart_are_run_once(main, classes, orders):
    strategy, _ = searched(main)
    assert (strategy.runs, strategy.distinct, strategy.redundant) == (classes, classes, 0)
    if orders is not None:
        assert searched(main, reduced=False)[0].distinct == orders


def test_the_locked_counter_has_no_run_twice():
    strategy, failed = searched(locked(3, times=3))
    assert strategy.exhausted
    assert not failed
    assert strategy.runs == strategy.distinct == 186


@pytest.mark.parametrize("options", [{}, {"reduced": False}, {"bound": 2}])
def test_a_lost_update_is_found(options):
    _, failed = searched(unlocked(2), **options)
    assert {type(one.error) for one in failed} == {AssertionError}


@pytest.mark.parametrize("options", [{}, {"reduced": False}, {"bound": 2}])
def test_two_locks_in_opposite_order_are_found(options):
    _, failed = searched(two_locks, **options)
    assert any(not one.finished for one in failed)


def test_every_order_within_the_bound_is_run_and_none_beyond_it():
    counts = [searched(unlocked(3), bound=bound)[0].runs for bound in (1, 2, 3, 16)]
    assert counts == sorted(set(counts))
    assert counts[-1] == searched(unlocked(3), reduced=False)[0].runs
    strategy, _ = searched(independent(2, group=False), bound=1)
    # The default order, and one delay at each of the eight decisions that have another task.
    assert strategy.runs == strategy.distinct


def test_every_run_of_a_bounded_search_is_another_order():
    strategy, _ = searched(locked(3, times=2), bound=4)
    assert strategy.exhausted
    assert strategy.runs == strategy.distinct


def test_a_proof_is_claimed_when_all_orders_were_run():
    strategy, _ = searched(locked(3))
    said = strategy.sentences()
    assert said[0].startswith("all 36 distinct orders pass: a proof for this program")
    assert "observed footprints" in said[1]


def test_no_proof_is_claimed_while_orders_are_left():
    strategy, _ = searched(locked(3), runs_max=35)
    assert not strategy.exhausted
    assert "proves nothing" in strategy.sentences()[0]
    assert "all " not in strategy.sentences()[0].partition(":")[0]


def test_what_is_written_by_a_name_bound_anew_behind_a_call_is_no_proof():
    def helper():
        return None

    async def main():
        box, spare = {"n": 0}, {"n": 0}

        async def looks():
            await asyncio.sleep(0)
            assert box["n"] == 0

        async def writes():
            await asyncio.sleep(0)
            kept = spare
            helper()
            kept = box
            kept["n"] = 1

        await asyncio.gather(looks(), writes())

    strategy, failed = searched(main)
    assert (strategy.runs, len(failed)) == (2, 1)


def test_what_a_cancelled_handle_never_does_is_no_proof():
    async def main():
        handles, seen = [], []

        async def sets():
            handles.append(asyncio.get_running_loop().call_soon(seen.append, 1))
            await asyncio.sleep(0)

        async def cancels():
            await asyncio.sleep(0)
            for one in handles:
                one.cancel()

        await asyncio.gather(sets(), cancels())
        await asyncio.sleep(0)
        assert seen

    strategy, failed = searched(main)
    assert failed
    assert strategy.failures < strategy.runs


@pytest.mark.parametrize("add", [list.append, lambda items, one: items.append(one)])
def test_a_callback_without_a_frame_is_no_proof(add):
    async def main():
        items = []

        async def sets():
            asyncio.get_running_loop().call_soon(partial(add, items), 1)
            asyncio.get_running_loop().call_soon(items.append, 2)
            await asyncio.sleep(0)

        async def looks():
            await asyncio.sleep(0)
            assert len(items) != 1

        await asyncio.gather(sets(), looks())

    strategy, failed = searched(main)
    assert failed
    assert strategy.failures < strategy.runs


def test_what_might_still_go_on_at_the_end_of_the_program_is_no_proof():
    async def main():
        first = there(asyncio.current_task())

        async def quick():
            pass

        async def slow():
            await asyncio.sleep(0)
            alone = first.done()
            await asyncio.sleep(0)
            if alone:
                raise LookupError

        both = [asyncio.create_task(quick()), asyncio.create_task(slow())]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)

    strategy, failed = searched(main)
    assert len(failed) == 1
    assert strategy.reduced


def test_the_turn_of_a_callback_that_was_cancelled_is_a_step():
    for seed in range(60):
        main, runs = programs.random_program(
            seed, tasks=2, length=1, operations=programs.CANCELLING
        )
        _, all_seen = programs.outcomes_of(main, runs, reduced=False)
        _, seen = programs.outcomes_of(main, runs, reduced=True)
        assert seen == all_seen, (seed, main.plan)


def test_an_answer_from_outside_behind_a_shield_is_searched_to_the_end():
    main, runs = programs.random_program(
        3, tasks=2, length=1, operations=(rarer_operations.ask_outside, programs.peek)
    )
    assert "ask_outside" in repr(main.plan)
    strategy, seen = programs.outcomes_of(main, runs, reduced=True)
    assert strategy.exhausted
    assert seen == programs.outcomes_of(main, runs, reduced=False)[1]


def test_no_proof_is_claimed_when_a_run_fails():
    strategy, failed = searched(unlocked(2))
    assert strategy.exhausted
    assert strategy.sentences()[0].startswith(f"{len(failed)} of 4 runs fail")


def test_a_bounded_search_names_its_bound_and_is_no_proof():
    strategy, _ = searched(locked(2), bound=1)
    assert strategy.sentences()[0].startswith(f"all {strategy.runs} distinct orders up to bound 1")
    assert "a proof" not in strategy.sentences()[0]


def remembering(task_count):
    """Make a program that counts its runs, from 1: ``task_count`` says how many tasks one has."""
    turns = []

    async def main():
        turns.append(None)

        async def work():
            await asyncio.sleep(0)

        await asyncio.gather(*(work() for _ in range(task_count(len(turns)))))

    return main


def test_a_program_that_remembers_its_last_run_proves_nothing():
    strategy, _ = searched(remembering(lambda run: 2 + run % 2), reduced=False)
    assert "not decided by its choices" in strategy.sentences()[0]
    assert "proves nothing" in strategy.sentences()[0]


def test_a_run_that_ends_before_the_next_decision_proves_nothing():
    # Two decisions in the first run, then none.
    strategy, _ = searched(remembering(lambda run: 2 if run == 1 else 1), reduced=False)
    assert not strategy.complete
    assert "not decided by its choices" in strategy.sentences()[0]


class Cancelling:
    """Asks at each of its awaits whether it is cancelled there."""

    def __init__(self):
        self.struck = []

    async def main(self):
        loop: Any = asyncio.get_running_loop()
        struck = [
            (name, step)
            for name in "ab"
            for step in range(3)
            if loop.choose(ChoiceKind.CANCEL, 2, f"cancel {name} at {step}")
        ]
        self.struck.append(tuple(struck))
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


def test_each_await_is_cancelled_once_with_a_bound_of_one():
    program = Cancelling()
    strategy, _ = searched(program.main, bound=1, kinds=frozenset({ChoiceKind.CANCEL}))
    assert strategy.exhausted
    assert sorted(program.struck) == sorted(
        [(), *(((name, step),) for name in "ab" for step in range(3))]
    )


def test_choices_and_orders_are_enumerated_together():
    program = Cancelling()
    strategy, _ = searched(program.main)
    assert len(set(program.struck)) == 2**6
    assert strategy.exhausted


def test_time_that_runs_ahead_is_enumerated_too():
    seen = set()

    async def main():
        order = []

        async def late():
            await asyncio.sleep(0.5)
            order.append("late")

        async def busy():
            for _ in range(2):
                await asyncio.sleep(0)
                order.append("busy")

        await asyncio.gather(late(), busy())
        seen.add(tuple(order))

    searched(main)
    reduced, seen_reduced = len(seen), set(seen)
    seen.clear()
    searched(main, reduced=False)
    assert reduced == 3
    assert seen_reduced == seen


def test_in_production_order_only_what_comes_from_outside_is_permuted():
    strategy, failed = searched(unlocked(2), adversarial=False)
    assert strategy.runs == 1
    assert len(failed) == 1
    assert strategy.given_up == "in asyncio's own order the order of all steps matters"


TERMS = SearchTerms(adversarial=True)


def test_an_exploration_ends_when_all_orders_were_run_and_is_proven():
    found = explore_subject(
        Program(locked(2), TERMS, name="locked"),
        strategy_named("exhaustive", seed=0),
        budget=Budget(runs=1_000),
    )
    assert (found.runs, found.exhausted, found.proven) == (4, True, True)
    assert found.bounds_text[0].startswith("all 4 distinct orders pass")


def test_all_runs_of_an_exploration_have_one_seed():
    async def main():
        async def work():
            await asyncio.sleep(0)

        await asyncio.gather(*(work() for _ in range(random.randrange(1, 4))))

    found = explore_subject(
        Program(main, replace(TERMS, seed=3), name="drawn"),
        strategy_named("exhaustive:2", seed=0),
        budget=Budget(runs=1_000),
    )
    assert found.proven, found.bounds_text


def test_an_exploration_of_what_choices_do_not_decide_is_not_proven():
    found = explore_subject(
        Program(remembering(lambda run: 2 + run % 2), TERMS, name="remembers"),
        strategy_named("exhaustive:2", seed=0),
        budget=Budget(runs=1_000),
    )
    assert not found.exhausted
    assert not found.proven


def test_an_exploration_shrinks_what_the_search_found():
    found = explore_subject(
        Program(unlocked(2), TERMS, name="unlocked"),
        strategy_named("exhaustive:3", seed=0),
        budget=Budget(runs=1_000),
    )
    assert found.exhausted
    assert not found.proven
    assert [one.cause for one in found.failures]


def test_a_bound_that_is_no_number_is_refused():
    with pytest.raises(BadInput, match='strategy exhaustive: the number after ":"'):
        strategy_named("exhaustive:x", seed=0)


@pytest.mark.parametrize(
    ("seed", "length", "operations", "runs"),
    [(18, 3, programs.OPERATIONS, 34), (1, 2, rarer_operations.OPERATIONS, 25)],
    ids=["common", "rarer"],
)
def test_a_gather_beside_others_has_as_many_orders_on_every_python(seed, length, operations, runs):
    main, _ = programs.random_program(seed, tasks=2, length=length, operations=operations)
    assert searched(main)[0].runs == runs
