"""What is told of a failure: what it needs, beside a run that passed, in its mildest mode."""

from __future__ import annotations

import asyncio
import textwrap

import pytest

from harness.scenario.reading import read_scenario
from harness.search.explorer import Budget, explore_subject
from harness.search.failures.investigation import carry_out
from harness.search.failures.token import Token
from harness.search.strategies.portfolio import strategy_named
from harness.search.subjects.program import Program
from harness.search.subjects.scenario import ScenarioSubject
from harness.search.terms import SearchTerms
from harness.systems.plain_service import PlainService


class LosesWakeUp:
    """Looks for an item without the lock, and may come to wait after it was told of one."""

    def __init__(self) -> None:
        self._full = asyncio.Condition()
        self._item: str | None = None

    async def put(self, user: str) -> None:
        await asyncio.to_thread(int)
        async with self._full:
            self._item = user
            self._full.notify()

    async def take(self, user: str) -> str | None:
        if self._item is None:
            await asyncio.to_thread(int)
            async with self._full:
                await self._full.wait()
        item, self._item = self._item, None
        return item


class TwoLocks:
    """Takes two locks in two orders."""

    def __init__(self) -> None:
        self._one, self._two = asyncio.Lock(), asyncio.Lock()

    async def put(self, user: str) -> None:
        async with self._one:
            await asyncio.to_thread(int)
            async with self._two:
                pass

    async def take(self, user: str) -> None:
        async with self._two:
            await asyncio.to_thread(int)
            async with self._one:
                pass


SCENARIO = """
    claim = "What is put is taken."
    users = ["ann"]
    [[phase]]
    name = "both"
    [[phase.do]]
    call = "take"
    user = "ann"
    [[phase.do]]
    call = "put"
    user = "ann"
    [check]
    no_deadlock = { within_s = 5 }
"""


@pytest.fixture
def subject(tmp_path):
    path = tmp_path / "both.toml"
    path.write_text(textwrap.dedent(SCENARIO), encoding="utf-8")
    made = []

    def make(system, **options):
        named = f"{__name__}:{system.__name__}"
        made.append(
            ScenarioSubject(
                read_scenario(path), PlainService(system), SearchTerms(system=named, **options)
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.__exit__(None, None, None)


def only_failure(subject, *, runs=60, strategy="portfolio"):
    found = explore_subject(subject, strategy_named(strategy, seed=0), budget=Budget(runs=runs))
    (failure,) = found.failures
    return failure


def test_a_workload_is_not_shrunk_until_it_fails_whatever_the_order(subject):
    """A reader alone would wait for ever: that is another failure, and no bug."""
    failure = only_failure(subject(LosesWakeUp))
    assert failure.operations == failure.operations_before == 2
    (deadlock,) = (check for check in failure.checks if check.name == "no_deadlock")
    assert "lost wake-up" in deadlock.why


def test_the_run_beside_a_failure_did_pass(subject):
    one = subject(LosesWakeUp)
    failure = only_failure(one)
    assert failure.passing is not None
    assert failure.passing.steps != failure.schedule.steps
    ended = [step.lane for step in failure.passing.steps if step.does == "returned"]
    assert {"put[ann]", "take[ann]"} <= set(ended)
    assert failure.passing.steps[-1].at_s < 1 < failure.schedule.steps[-1].at_s
    assert all(failure.stacks)


def test_without_a_run_that_passes_none_is_shown():
    async def always_fails():
        await asyncio.sleep(1)
        raise ValueError("always")

    assert only_failure(Program(always_fails), runs=5).passing is None


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_failure_of_asyncios_own_order_is_not_called_adversarial(adversarial):
    async def races():
        box = [0]

        async def add():
            seen = box[0]
            await asyncio.sleep(0)
            box[0] = seen + 1

        await asyncio.gather(add(), add())
        assert box[0] == 2

    program = Program(races, SearchTerms(adversarial=adversarial))
    failure = only_failure(program, runs=20)
    assert not failure.adversarial
    token = Token.read(failure.token)
    assert not token.terms.adversarial
    # The search goes on as it was asked to.
    assert program.terms.adversarial == adversarial
    with Program(races) as again:
        assert carry_out(again, token.tape).failure is not None


def test_a_failure_that_only_a_permuted_order_has_is_called_adversarial():
    async def overtaken():
        seen = []

        async def note(number):
            seen.append(number)

        await asyncio.gather(note(1), note(2))
        assert seen == [1, 2]

    failure = only_failure(Program(overtaken, SearchTerms(adversarial=True)), runs=20)
    assert failure.adversarial
    assert Token.read(failure.token).terms.adversarial


def test_a_failure_that_production_has_by_another_tape_is_not_called_adversarial():
    async def in_one_pass():
        seen = []

        async def asks(name):
            await asyncio.to_thread(str)
            seen.append(name)
            await asyncio.sleep(0)
            seen.append(name)

        await asyncio.gather(asks("a"), asks("b"))
        assert seen[0] == seen[1], "both came in one pass"

    failure = only_failure(Program(in_one_pass, SearchTerms(adversarial=True)), runs=100)
    assert not failure.adversarial
    token = Token.read(failure.token)
    with Program(in_one_pass) as again:
        found = carry_out(again, token.tape).failure
    assert found is not None
    assert found.cause == failure.cause


def test_one_deadlock_is_one_failure_with_faults_and_without(subject):
    failure = only_failure(subject(TwoLocks, chaos=True), runs=100)
    assert "outcomes" not in failure.cause.split(", ")
