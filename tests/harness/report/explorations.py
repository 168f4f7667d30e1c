"""Sample schedules and explorations: small and large, proven, deadlocked, and hostile."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from harness.history.records import (
    Blocked,
    Diagnosis,
    History,
    LockHold,
    LockWait,
    NodeKind,
    Operation,
    Outcome,
)
from harness.results.explorations import Exploration, ExplorationReport, FoundFailure
from harness.results.schedule import Schedule, ScheduleStep
from harness.results.verdict import CheckResult, Verdict

READ, PAUSE, WRITE = "tickets.py:21", "tickets.py:22", "tickets.py:24"
SOURCES = {
    READ: "left = await self._store.read()",
    PAUSE: "await self._log.note(user, left)",
    WRITE: "await self._store.write(left - 1)",
}


def schedule_of(*moves: tuple[Any, ...], cycle=(), dropped=0):
    """Make a schedule of (lane, does, place, deviation, woken_by, milliseconds) in order."""
    steps = []
    for index, move in enumerate(moves):
        untold = (None,) * (6 - len(move))
        lane, does, place, deviation, woken_by, at_ms = move + untold
        steps.append(
            ScheduleStep(
                index=index,
                at_s=(at_ms or 0) / 1_000,
                lane=lane,
                does=does,
                place=place,
                source=SOURCES.get(place),
                deviation=deviation,
                woken_by=woken_by,
            )
        )
    return Schedule(steps=tuple(steps), cycle=cycle, dropped=dropped)


@pytest.fixture(scope="session")
def passing_schedule():
    return schedule_of(
        ("buyer-1", "awaits Store.read", READ),
        ("buyer-2", "awaits Store.read", READ),
        ("buyer-3", "awaits Store.read", READ),
        ("executor", "completes read for buyer-1", None, None, 0, 2),
        ("buyer-1", "awaits Log.note", PAUSE, None, 3, 2),
        ("buyer-1", "awaits Store.write", WRITE, None, None, 3),
        ("executor", "completes write for buyer-1", None, None, 5, 5),
        ("buyer-1", "returned", WRITE, None, 6, 5),
        ("executor", "completes read for buyer-2", None, None, 1, 6),
        ("buyer-2", "awaits Log.note", PAUSE, None, 8, 6),
        ("buyer-2", "awaits Store.write", WRITE, None, None, 7),
        ("executor", "completes write for buyer-2", None, None, 10, 9),
        ("buyer-2", "returned", WRITE, None, 11, 9),
    )


@pytest.fixture(scope="session")
def failing_schedule():
    """Three buyers and an executor, 20 steps, two of them deviations."""
    return schedule_of(
        ("buyer-1", "awaits Store.read", READ),
        ("buyer-2", "awaits Store.read", READ),
        ("buyer-3", "awaits Store.read", READ),
        ("executor", "completes read for buyer-1", None, None, 0, 2),
        ("buyer-1", "awaits Log.note", PAUSE, None, 3, 2),
        ("executor", "completes read for buyer-2", None, "ran ahead of buyer-1's note", 1, 2),
        ("buyer-2", "awaits Log.note", PAUSE, None, 5, 2),
        ("buyer-1", "awaits Store.write", WRITE, None, None, 3),
        ("executor", "completes write for buyer-1", None, None, 7, 5),
        ("buyer-1", "returned", WRITE, None, 8, 5),
        ("buyer-2", "awaits Store.write", WRITE, None, None, 6),
        ("executor", "completes write for buyer-2", None, "delayed by 4 ms", 10, 10),
        ("buyer-2", "returned", WRITE, None, 11, 10),
        ("executor", "completes read for buyer-3", None, None, 2, 11),
        ("buyer-3", "awaits Log.note", PAUSE, None, 13, 11),
        ("buyer-3", "awaits Store.write", WRITE, None, None, 12),
        ("executor", "completes write for buyer-3", None, None, 15, 14),
        ("buyer-3", "raised SoldOut", WRITE, None, 16, 14),
        ("audit", "awaits Store.read", "tickets.py:40", None, None, 14),
        ("audit", "raised AssertionError", "tickets.py:41", None, None, 15),
    )


@pytest.fixture(scope="session")
def cycle_schedule():
    moves: list[tuple[Any, ...]] = [
        (f"philosopher-{n}", "awaits sleep(0)", "table.py:12", None, None, n) for n in range(5)
    ]
    for n in range(5):
        deviation = "ran ahead of philosopher-0" if n == 2 else None
        moves.append(
            (f"philosopher-{n}", "awaits Lock.acquire", "table.py:14", deviation, n, 5 + n)
        )
    return schedule_of(*moves, cycle=tuple(f"philosopher-{n}" for n in range(5)))


@pytest.fixture(scope="session")
def large_schedule():
    """40 lanes, 3,000 steps, 25 deviations."""
    random, at_s, steps = Random(7), 0.0, []
    for index in range(3_000):
        at_s += random.choice((0, 0, 0, 0.0004))
        lane = index % 40 if index < 40 else int(random.triangular(0, 40, 5))
        steps.append(
            ScheduleStep(
                index=index,
                at_s=at_s,
                lane=f"client of a user {lane:02}",
                does=random.choice(("awaits Queue.get", "awaits sleep", "awaits Lock.acquire")),
                place=f"serve/service.py:{random.randrange(20, 300)}",
                source="async with self._lock:",
                deviation="ran ahead of task-2" if index % 120 == 60 else None,
                woken_by=index - random.randrange(1, 30) if index > 40 else None,
            )
        )
    return Schedule(steps=tuple(steps), dropped=12)


def operation(number, begin_s, end_s, user, outcome=Outcome.RETURNED):
    return Operation(
        number=number,
        step="buy",
        call="buy",
        user=user,
        phase="sale",
        task=f"buyer-{number + 1}",
        begin_s=begin_s,
        end_s=end_s,
        outcome=outcome,
    )


def hold(lock, task, begin_s, end_s, **others):
    return LockHold(
        lock=lock, task=task, begin_s=begin_s, end_s=end_s, where="tickets.py:20", **others
    )


@pytest.fixture(scope="session")
def contended_history():
    return History(
        node=NodeKind.SIMULATED,
        operations=(
            operation(0, 0.0, 0.005, "alice"),
            operation(1, 0.0, 0.010, "bob"),
            operation(2, 0.001, 0.014, "alice", Outcome.RAISED),
        ),
        lock_holds=(
            hold("Tickets._lock", "buyer-1", 0.0, 0.005, held_await="read() at tickets.py:21"),
            hold("Tickets._lock", "buyer-2", 0.005, 0.010, held_await="read() at tickets.py:21"),
            hold("Log._lock", "buyer-3", 0.011, 0.012),
        ),
        lock_waits=(
            LockWait(
                lock="Tickets._lock",
                task="buyer-2",
                begin_s=0.0,
                end_s=0.005,
                where="tickets.py:20",
            ),
        ),
        end_s=0.015,
    )


@pytest.fixture(scope="session")
def cycle_history():
    blocked = tuple(
        Blocked(
            task=f"philosopher-{n}",
            waits_for=f"Lock Table.fork[{(n + 1) % 5}]",
            where="table.py:14",
            holders=(f"philosopher-{(n + 1) % 5}",),
        )
        for n in range(5)
    )
    diagnosis = Diagnosis(
        at_s=0.009, blocked=blocked, cycle=tuple(f"philosopher-{n}" for n in range(5))
    )
    operations = tuple(operation(n, 0.0, None, "all", Outcome.UNFINISHED) for n in range(5))
    holds = tuple(hold(f"Table.fork[{n}]", f"philosopher-{n}", 0.0, None) for n in range(5))
    return History(
        node=NodeKind.SIMULATED,
        operations=operations,
        lock_holds=holds,
        deadlock=diagnosis,
        end_s=0.009,
    )


@pytest.fixture(scope="session")
def sold_twice(failing_schedule, passing_schedule, contended_history):
    return FoundFailure(
        cause="distinct_results:tickets.py:24",
        headline="distinct_results: expected 3 different tickets, saw ticket 3 twice",
        message_lines=("buyer-1 and buyer-2 both wrote 2 to Store.left", "at tickets.py:24"),
        token="h1.tickets.AQcCEgkx",
        replay="harness replay h1.tickets.AQcCEgkx",
        runs_to_find=37,
        found_by="pct",
        deviations=2,
        deviations_before=61,
        operations=3,
        operations_before=40,
        shrink_runs=44,
        schedule=failing_schedule,
        passing=passing_schedule,
        stacks=(
            ("buyer-1", "  tickets.py:22 in buy", "    await self._log.note(user, left)"),
            ("executor", "  completes read for buyer-2"),
        ),
        checks=(
            CheckResult(
                name="distinct_results",
                verdict=Verdict.FAILED,
                expected="3 different tickets",
                seen="ticket 3 twice",
                involved=("buyer-1", "buyer-2"),
                why="both read before either wrote",
            ),
        ),
        history=contended_history,
    )


@pytest.fixture(scope="session")
def dined(sold_twice, cycle_schedule, cycle_history):
    return replace(
        sold_twice,
        cause="deadlock:table.py:14",
        headline="no_deadlock: five philosophers wait for each other in a cycle",
        message_lines=(),
        deviations=1,
        schedule=cycle_schedule,
        passing=None,
        stacks=None,
        diagnosis=cycle_history.deadlock,
        checks=(),
        adversarial=True,
        history=cycle_history,
    )


@pytest.fixture(scope="session")
def found(sold_twice, dined):
    return Exploration(
        scenario="three_tickets_are_sold_once",
        path="scenarios/three_tickets_are_sold_once.toml",
        claim="Five people buy at once: three get a ticket, and no ticket is sold twice.",
        strategy="portfolio",
        seed=48151,
        mode="adversarial",
        runs=2_000,
        distinct=412,
        steps_total=44_000,
        wall_s=3.21,
        exhausted=False,
        bounds_text=("PCT: 4 tasks, 40 steps, depth 3: each run finds such a bug with 1/6,400.",),
        coverage=((1, 1), (50, 45), (200, 150), (500, 290), (1_000, 390), (2_000, 412)),
        awaits_interleaved=57,
        failures=(sold_twice, dined),
    )


@pytest.fixture(scope="session")
def proven(found):
    return replace(
        found,
        scenario="two_writers",
        strategy="exhaustive",
        mode="production",
        exhausted=True,
        bound=2,
        runs=90,
        distinct=90,
        bounds_text=("all 90 distinct orders up to bound 2 pass",),
        coverage=tuple((n, n) for n in range(1, 91)),
        failures=(),
    )


@pytest.fixture(scope="session")
def refused(found):
    return replace(
        found,
        scenario="node_restart",
        runs=0,
        distinct=0,
        steps_total=0,
        bounds_text=(),
        coverage=(),
        failures=(),
        could_not_run="needs the live node; explore runs simulated scenarios only",
    )


@pytest.fixture(scope="session")
def exploration_report(proven, found, refused):
    return ExplorationReport(
        explorations=(proven, found, refused),
        versions={"python": "CPython 3.11.7"},
        machine={"cores": "2"},
        started_at="2026-11-24T10:00:00+00:00",
    )


@pytest.fixture(scope="session")
def nasty():
    text = "</script><img src=x onerror=alert(1)>&\"'`| \x00\x1b[31m\ud800\u202e ]]> {{ 7*7 }} ```"
    return text + "\n# x 漢字 " + "long" * 200


@pytest.fixture(scope="session")
def hostile_schedule(nasty):
    moves = [
        (nasty, nasty, nasty, nasty),
        ("b", nasty, nasty, None, 0),
        (nasty + "2", "raised " + nasty, nasty, None, 1, 5),
    ]
    return schedule_of(*moves, cycle=(nasty, nasty + "2"), dropped=3)


@pytest.fixture(scope="session")
def hostile_exploration(nasty, found, sold_twice, hostile_schedule, cycle_history):
    diagnosis = Diagnosis(
        at_s=1.0,
        blocked=(Blocked(task=nasty, waits_for=nasty, where=nasty, holders=(nasty,)),),
        cycle=(nasty, nasty + "2"),
        attachments=((nasty, nasty),),
    )
    failure = replace(
        sold_twice,
        cause=nasty,
        headline=nasty,
        message_lines=(nasty,),
        token=nasty,
        replay=nasty,
        found_by=nasty,
        schedule=hostile_schedule,
        passing=replace(hostile_schedule, steps=hostile_schedule.steps[1:]),
        stacks=((nasty,), (nasty, nasty)),
        diagnosis=diagnosis,
        checks=(CheckResult(name=nasty, verdict=Verdict.FAILED, expected=nasty, seen=nasty),),
        history=replace(
            cycle_history,
            deadlock=diagnosis,
            lock_holds=(hold(nasty, nasty, 0.0, None, held_await=nasty, kind=nasty),),
            operations=(replace(cycle_history.operations[0], call=nasty, user=nasty, task=nasty),),
        ),
    )
    return replace(
        found,
        scenario=nasty,
        path=nasty,
        claim=nasty,
        strategy=nasty,
        bounds_text=(nasty,),
        failures=(failure,),
    )
