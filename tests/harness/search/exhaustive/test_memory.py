"""An exhaustive search that was cut short goes on where it was, in whatever process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.choices.kinds import ChoiceKind
from harness.choices.policies import StepWatcher
from harness.errors import BadInput
from harness.search.exhaustive.decision_path import Decision
from harness.search.exhaustive.footprint import EVERYTHING, Footprint
from harness.search.exhaustive.memory import (
    ExhaustiveMemory,
    memory_from_plain,
    memory_to_plain,
    path_kept,
    path_restored,
)
from harness.search.exhaustive.search import Exhaustive
from harness.simulated.repeated_runs import SearchRuns
from tests.harness.search.exhaustive import random_programs as programs
from tests.there import there

ROOT = Path(__file__).parents[4]
# How many runs of the search are made before it is cut short, again and again.
CUTS = (1, 2, 5)


def counter(tasks, *, times=1, lock=None, kept=()):
    """Make a program in which each task reads a number, waits, and writes it one greater."""

    async def main():
        guard, before, box = lock and lock(), kept, {"n": 0}

        async def work():
            assert before is kept
            for _ in range(times):
                if guard is not None:
                    await guard.acquire()
                seen = box["n"]
                await asyncio.sleep(0)
                box["n"] = seen + 1
                if guard is not None:
                    guard.release()

        await asyncio.gather(*(work() for _ in range(tasks)))
        assert box["n"] == tasks * times

    return main


async def late_and_busy():
    box = {"n": 0}

    async def late():
        await asyncio.sleep(0.5)
        box["n"] += 1

    async def busy():
        for _ in range(2):
            await asyncio.sleep(0)
            box["n"] *= 2

    await asyncio.gather(late(), busy(), busy())


async def in_threads():
    box = {"n": 0}

    async def work(mine):
        seen = box["n"]
        await asyncio.to_thread(lambda: None)
        box["n"] = seen + mine

    await asyncio.gather(work(1), work(2))


async def gathered_twice():
    seen = []

    async def note(mine):
        await asyncio.sleep(0)
        seen.append(mine)

    async def both(mine):
        await asyncio.gather(note(mine), note(mine + 1))
        seen.append(-mine)

    await asyncio.gather(both(1), both(3))


async def timed_out():
    seen = []

    async def wait(mine):
        try:
            await asyncio.wait_for(asyncio.sleep(0.3), 0.2 * mine)
        except TimeoutError:
            seen.append(mine)
        seen.append(-mine)

    await asyncio.gather(wait(1), wait(2))


async def cancelling():
    loop: Any = asyncio.get_running_loop()
    for step in range(3):
        loop.choose(ChoiceKind.CANCEL, 2, f"cancel at {step}")
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))


PROGRAMS = {
    "a lost update": counter(3),
    "a lock": counter(3, times=2, lock=asyncio.Lock),
    "late and busy": late_and_busy,
    "in threads": in_threads,
    "gathered twice": gathered_twice,
    "timed out": timed_out,
    "choices": cancelling,
}


def anew(strategy, **options):
    """Make the strategy again from what a file would hold of it."""
    again = Exhaustive(**options)
    again.remember(json.loads(json.dumps(strategy.learned())), where="test")
    return again


def searched(main, *, every=None, runs_max=400, adversarial=True, **options):
    """Search to the end, cut short after ``every`` so many runs; return the runs and the end."""
    main, kept = main if isinstance(main, tuple) else (main, [])
    strategy, orders = Exhaustive(**options), []
    with SearchRuns(main, adversarial=adversarial) as searching:
        while not strategy.exhausted and strategy.runs < runs_max:
            kept.clear()
            policy: Any = strategy.begin(strategy.runs)
            found = searching.run(policy, watcher=strategy.watcher or StepWatcher())
            strategy.finish(found)
            orders.append((found.order, tuple(policy.choices), found.failed))
            if every is not None and strategy.runs % every == 0 and not strategy.exhausted:
                strategy = anew(strategy, **options)
    figures = strategy.runs, strategy.redundant, strategy.distinct, strategy.failures
    return orders, figures, strategy.given_up, strategy.unsteady, strategy.sentences()


@pytest.mark.parametrize("options", [{}, {"bound": 2}, {"reduced": False}], ids=str)
@pytest.mark.parametrize("main", PROGRAMS.values(), ids=PROGRAMS)
def test_a_search_cut_short_anywhere_makes_the_runs_that_it_would_have_made(main, options):
    whole = searched(main, **options)
    assert len(whole[0]) > 5
    for every in CUTS:
        assert searched(main, every=every, **options) == whole


@pytest.mark.parametrize("share", range(4))
def test_a_search_of_a_random_program_cut_short_makes_the_same_runs(share):
    for seed in range(share * 15, (share + 1) * 15):
        tasks, length = ((2, 2), (3, 1), (2, 3), (3, 2))[seed % 4]
        program = programs.random_program(seed, tasks=tasks, length=length)
        assert searched(program, every=1, runs_max=150) == searched(program, runs_max=150), seed


def test_a_search_that_gave_up_observing_goes_on_without():
    whole = searched(late_and_busy, adversarial=False)
    assert whole[2] == "in asyncio's own order the order of all steps matters"
    assert searched(late_and_busy, adversarial=False, every=1) == whole


def test_a_program_that_choices_do_not_decide_is_still_no_proof_when_resumed():
    turns = []

    async def main():
        turns.append(None)
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(2 + len(turns) % 2)))

    strategy = Exhaustive(reduced=False)
    with SearchRuns(main, adversarial=True) as searching:
        while not strategy.exhausted:
            strategy.finish(searching.run(strategy.begin(0)))
            strategy = strategy if strategy.exhausted else anew(strategy, reduced=False)
    assert "not decided by its choices" in strategy.sentences()[0]
    assert not strategy.complete


def test_a_path_is_restored_with_all_that_is_known_of_its_decisions():
    first = Footprint([("items", 3, True), ("items", None, False), (".n", 3, False)])
    choice, order = Decision(count=2, cost=0), Decision(count=3, cost=1, lanes=(4, 1, 7))
    choice.pick = 1
    order.pick, order.wanted, order.tried = 1, {0, 1, 2}, {0, 2}
    order.asleep, order.taken = {4: first, 9: EVERYTHING}, {7: first}
    order.names, order.event = 12, 3
    memory = ExhaustiveMemory(runs=1, **path_kept([choice, order]))
    assert len(memory.footprints) == 2
    plain = json.loads(json.dumps(memory_to_plain(memory)))
    restored = path_restored(memory_from_plain(plain, where="test"))
    assert [facts(one) for one in restored] == [facts(choice), facts(order)]
    assert restored[1].asleep[9] is EVERYTHING


def facts(decision):
    known = {name: getattr(decision, name) for name in Decision.__slots__}
    for name in ("asleep", "taken"):
        known[name] = {lane: (one.touches, one.everything) for lane, one in known[name].items()}
    return known


class Thing:
    """Something that has a number of its own."""


def test_footprints_of_things_that_have_other_numbers_now_leave_no_order_out():
    whole = searched(counter(2, times=2), reduced=False)
    failing = sum(failed for _, _, failed in whole[0])
    assert 0 < failing < len(whole[0])
    for cut in range(1, 12):
        kept, strategy, seen = [], Exhaustive(), []
        with SearchRuns(counter(2, times=2, kept=kept), adversarial=True) as searching:
            while not strategy.exhausted:
                found = searching.run(strategy.begin(0), watcher=strategy.watcher)
                strategy.finish(found)
                seen.append(found.order)
                if strategy.runs == cut:
                    # As if another process had met more things before.
                    kept += [Thing(), Thing(), Thing()]
                    strategy = anew(strategy)
        assert len(set(seen)) == len(seen)
        assert len(seen) >= searched(counter(2, times=2))[1][0]


STRETCH = """
import json, sys
from harness.search.exhaustive.search import Exhaustive
from harness.simulated.repeated_runs import SearchRuns
from tests.harness.search.exhaustive.test_memory import PROGRAMS

asked = json.load(sys.stdin)
strategy, orders = Exhaustive(), []
if asked["learned"] is not None:
    strategy.remember(asked["learned"], where="test")
with SearchRuns(PROGRAMS[asked["program"]], adversarial=True) as searching:
    while not strategy.exhausted and len(orders) < asked["runs"]:
        found = searching.run(strategy.begin(strategy.runs), watcher=strategy.watcher)
        strategy.finish(found)
        orders.append(found.order.hex())
json.dump([orders, strategy.exhausted, strategy.learned(), strategy.sentences()], sys.stdout)
"""


@pytest.mark.parametrize("name", ["a lost update", "gathered twice"])
def test_a_fresh_interpreter_with_other_hashes_goes_on_with_the_same_runs(name):
    whole = searched(PROGRAMS[name], runs_max=10_000)
    total = len(whole[0])
    learned, orders, exhausted, hash_seed, said = None, [], False, 0, None
    while not exhausted:
        hash_seed += 1
        done = subprocess.run(
            [sys.executable, "-c", STRETCH],
            input=json.dumps({"learned": learned, "program": name, "runs": total // 4 + 1}),
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        more, exhausted, learned, said = json.loads(done.stdout)
        orders += more
    assert orders == [order.hex() for order, _, _ in whole[0]]
    assert tuple(there(said)) == whole[-1]
    assert hash_seed >= 4


def cut_short(main, runs):
    strategy = Exhaustive()
    with SearchRuns(main, adversarial=True) as searching:
        for _ in range(runs):
            strategy.finish(searching.run(strategy.begin(0), watcher=strategy.watcher))
    return strategy.learned()


def test_what_is_kept_besides_the_digests_does_not_grow_with_the_runs():
    sizes = []
    for runs in (2, 150):
        learned = cut_short(counter(3, times=3, lock=asyncio.Lock), runs)
        assert len(learned.pop("orders")) == 16 * runs
        sizes.append(len(json.dumps(learned)))
    assert max(sizes) < 4_000


@pytest.mark.parametrize(
    ("where", "value", "told"),
    [
        (("runs",), None, "test.runs must be of type int, got None"),
        (("runs",), -1, "test.runs must be 0 or more, got -1; name another folder"),
        (("changed",), 99, r"test.changed must be -1 to \d+, got 99; name another folder"),
        (("orders",), "abc", "test.orders must be digests of 12 bytes in base64, got 'abc'"),
        (("orders",), "é", "test.orders must be digests of 12 bytes in base64, got 'é'"),
        (("path",), 5, "test.path must be a list, got 5"),
        (("path", 0, "pick"), 7, r"test.path\[0\].pick must be 0 to 2, got 7; name another"),
        (("path", 0, "count"), 4, r"test.path\[0\].count must be 3, got 4; name another folder"),
        (("path", 0, "count"), 0, r"test.path\[0\].count must be 1 to 1000000, got 0"),
        (("path", 0, "lanes"), 99, r"test.path\[0\].lanes must be 0 to \d+, got 99"),
        (("path", 0, "wanted"), [9], r"test.path\[0\].wanted must be 0 to 2, got 9"),
        (("path", 0, "tried"), [-1], r"test.path\[0\].tried must be 0 to 2, got -1"),
        (("path", 0, "asleep"), [[2, 99]], r"test.path\[0\].asleep must be 0 to \d+, got 99"),
        (("path", 0, "taken"), [[2]], r"test.path\[0\].taken\[0\] must be a list of 2, got \[2\]"),
        (("path", 0, "names"), -1, r"test.path\[0\].names must be 0 or more, got -1"),
        (("path", 0, "event"), -2, r"test.path\[0\].event must be -1 or more, got -2"),
        (("path", 0, "more"), 1, r"test.path\[0\] must be without more"),
        (("footprints", 0), [["items"]], r"test.footprints\[0\]\[0\] must be a list of 3"),
        ((), None, "test must be an object, got None"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused_with_its_place(where, value, told):
    learned = json.loads(json.dumps(cut_short(PROGRAMS["a lost update"], 5)))
    inner = learned
    for step in where[:-1]:
        inner = inner[step]
    if where:
        inner[where[-1]] = value
    with pytest.raises(BadInput, match="test: learned" + told.removeprefix("test")):
        Exhaustive().remember(learned if where else value, where="test")
