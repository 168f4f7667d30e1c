"""Faults and cancellations as choices: which strike, until when, and what must hold after them."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import pytest

from harness.choices.chaos import FAULTS_MAX, KINDS, STOPS_AFTER_S, Chaos
from harness.choices.kinds import ChoiceKind, DefaultPolicy
from harness.results.verdict import Verdict
from harness.scenario.reading import read_scenario
from harness.search.subjects.scenario import ScenarioSubject
from harness.search.terms import SearchTerms
from harness.systems.loading import load_system
from harness.systems.plain_service import PlainService
from harness.systems.port import DEFAULT_SYSTEM

HERE = r"tests/harness/choices/test_chaos\.py:\d+ in "
SCENARIOS = Path(__file__).parents[3] / "scenarios"
CREATE = """
claim = "An account is made."
users = ["ann"]
[[phase]]
name = "make"
[[phase.do]]
id = "create"
call = "create_account_order"
user = "ann"
with.order.CreateClient = { network = "Localnet", name = "one" }
[[phase]]
name = "look"
[[phase.do]]
id = "list"
call = "list_accounts"
user = "ann"
[check]
sees_exactly_own = { creations = ["create"], listing = "list" }
"""


class Deciding:
    """Keeps asyncio's order; chooses the nth time that a kind of choice is asked at a label."""

    def __init__(self, kind, *, label="", nth=0, value=1):
        self.asked = []
        self._wanted = (kind, label, nth, value)

    def order(self, options):
        return 0

    def choose(self, kind, count, label):
        wanted, part, nth, value = self._wanted
        if kind is not wanted or part not in label:
            return 0
        self.asked.append((count, label))
        return min(value, count - 1) if len(self.asked) == nth + 1 else 0


def always(answer):
    return lambda kind, count, label: min(answer, count - 1)


def never(kind, count, label):
    raise AssertionError(f"asked for {kind} at {label}")


def seed_with(*kinds):
    """Find the first seed whose run has these kinds of faults."""
    return next(
        seed
        for seed in range(10_000)
        if set(kinds) <= Chaos(never, seed=seed, clock=lambda: 0.0).kinds
    )


def seed_with_only(kind, *, among):
    return next(
        seed
        for seed in range(10_000)
        if Chaos(never, seed=seed, clock=lambda: 0.0).kinds & set(among) == {kind}
    )


@pytest.fixture
def attempt(tmp_path):
    def make(policy, *, seed, text=CREATE, service=None):
        path = tmp_path / "chaos.toml"
        path.write_text(text)
        system = PlainService(service) if service else load_system(DEFAULT_SYSTEM)
        subject = ScenarioSubject(
            read_scenario(path), system, SearchTerms(system=DEFAULT_SYSTEM, chaos=True)
        )
        with subject:
            return subject.attempt(policy, seed=seed).result

    return make


def test_a_seed_decides_which_kinds_a_run_has_and_seeds_differ():
    drawn = [Chaos(never, seed=seed, clock=lambda: 0.0).kinds for seed in range(60)]
    again = [Chaos(never, seed=seed, clock=lambda: 0.0).kinds for seed in range(60)]
    assert drawn == again
    assert all(drawn)
    assert {kind for kinds in drawn for kind in kinds} == set(KINDS)
    assert len(set(drawn)) > 50


def test_faults_stop_after_so_many_after_a_while_and_when_told():
    now = [0.0]
    chaos = Chaos(always(1), seed=seed_with("fail"), clock=lambda: now[0])
    struck = [chaos.at("sync.before", "ann", possible=("fail",)) for _ in range(FAULTS_MAX + 2)]
    assert struck == ["fail"] * FAULTS_MAX + [None, None]
    late = Chaos(always(1), seed=seed_with("fail"), clock=lambda: now[0])
    now[0] = STOPS_AFTER_S + 1
    assert late.at("sync.before", "ann", possible=("fail",)) is None
    now[0] = 0.0
    late.stop()
    assert late.at("sync.before", "ann", possible=("fail",)) is None


def test_nobody_is_asked_where_no_kind_of_the_run_is_possible():
    kinds = Chaos(never, seed=0, clock=lambda: 0.0).kinds
    lacking = tuple(kind for kind in KINDS if kind not in kinds)
    assert Chaos(never, seed=0, clock=lambda: 0.0).at("x.y", "ann", possible=lacking) is None


@pytest.mark.parametrize(
    ("kind", "label", "error"),
    [
        ("fail", "sync.before", "ClientFailed"),
        ("hang", "sync.before", "CommandTimedOut"),
        ("die", "sync.before", "ClientClosed"),
        ("full", "sync.before", "ClientBusy"),
        ("busy", "sql.user.begin_order.execute", "StoreFailed"),
    ],
)
def test_each_kind_of_fault_ends_a_call_in_its_own_way_and_is_recovered_from(
    attempt, kind, label, error
):
    seed = seed_with_only(kind, among=("fail", "hang", "die", "full", "busy"))
    result = attempt(Deciding(ChoiceKind.FAULT, label=label), seed=seed)
    create = result.history.operations[0]
    assert [one.kind for one in result.history.faults] == [kind]
    assert create.error.type == error
    assert result.verdict is not Verdict.FAILED
    assert [one.verdict for one in result.checks if one.name == "recovers"] == [Verdict.PASSED]


@pytest.mark.parametrize("state", ["cut", "freeze", "slow", "restart", "slow_disk"])
def test_each_trouble_of_the_node_passes_and_is_recovered_from(attempt, state):
    among = ("cut", "freeze", "slow", "restart", "slow_disk")
    seed = seed_with_only(state, among=among)
    result = attempt(Deciding(ChoiceKind.FAULT, label="node make"), seed=seed)
    assert [(one.point, one.kind) for one in result.history.faults] == [("node", state)]
    assert result.verdict is not Verdict.FAILED
    assert [one.verdict for one in result.checks if one.name == "recovers"] == [Verdict.PASSED]


def test_a_creation_cancelled_at_each_of_its_awaits_leaves_nothing_half_done(attempt):
    seed = seed_with("cancel")
    for nth in range(100):
        policy = Deciding(ChoiceKind.CANCEL, label="create", nth=nth)
        result = attempt(policy, seed=seed)
        told = [one.seen for one in result.checks if one.verdict is Verdict.FAILED]
        assert told == [], nth
        if len(policy.asked) <= nth:
            break
        assert [one.kind for one in result.history.faults] == ["cancel"]
    assert nth >= 3, "it waits for its client's start, and for what goes on without it"


class Moody:
    """Works; but once it has been cancelled in the middle, never again."""

    def __init__(self):
        self._lock = asyncio.Lock()

    async def work(self):
        await self._lock.acquire()
        await asyncio.sleep(1)
        self._lock.release()

    async def probe(self, user):
        await self.work()


WORK = """
claim = "It works."
[[phase]]
name = "day"
[[phase.do]]
call = "work"
[check]
no_deadlock = {}
"""


def test_a_service_that_a_cancellation_breaks_for_good_does_not_recover(attempt):
    text = WORK.replace('claim = "It works."', 'claim = "It works."\nusers = ["ann"]')
    policy = Deciding(ChoiceKind.CANCEL)
    result = attempt(policy, seed=seed_with("cancel"), text=text, service=Moody)
    failed = {one.name: one for one in result.checks if one.verdict is Verdict.FAILED}
    assert list(failed) == ["no_leaks", "recovers"]
    lock = rf"at {HERE}Moody\.work by work at 0\.000 s"
    assert re.fullmatch(
        rf"1 never given back: lock Moody\._lock was taken {lock}, which has ended and never"
        r" gave it back",
        failed["no_leaks"].seen,
    )
    assert re.fullmatch(
        rf"probe\[ann\] waits for Lock Moody\._lock at {HERE}Moody\.work; it was taken {lock}, and"
        r" work has ended without giving it back; nobody is left to release it",
        failed["recovers"].why,
    )


class Sleepy(Moody):
    """Has one answer for all who ask, and once that was cancelled nobody gives it."""

    def __init__(self):
        self._answered = asyncio.Event()
        self._asking = asyncio.Lock()

    async def work(self):
        await asyncio.sleep(1)
        self._answered.set()

    async def probe(self, user):
        async with self._asking:
            await self._answered.wait()


def test_a_probe_that_takes_too_long_is_told_with_whom_it_waits_for(attempt):
    text = WORK.replace('claim = "It works."', 'claim = "It works."\nusers = ["ann", "bob"]')
    policy = Deciding(ChoiceKind.CANCEL)
    result = attempt(policy, seed=seed_with("cancel"), text=text, service=Sleepy)
    (found,) = [one for one in result.checks if one.name == "recovers"]
    assert found.involved == ("for ann: not within 1200 s", "for bob: not within 1200 s")
    assert re.fullmatch(
        rf"probe\[ann\] waits for Event\.wait Sleepy\._answered at {HERE}Sleepy\.probe; no running"
        r" task is known to hold it, to set it",
        found.why,
    )


class Refusing(Moody):
    """Fails what is asked of it after a fault at once, or answers too late and takes no end."""

    def __init__(self):
        self.asked = 0

    async def work(self):
        await asyncio.sleep(1)

    async def probe(self, user):
        self.asked += 1
        if self.asked == 1:
            raise LookupError("gone")
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


def test_a_probe_that_fails_at_once_or_hides_its_cancellation_is_not_said_to_wait(attempt):
    text = WORK.replace('claim = "It works."', 'claim = "It works."\nusers = ["ann"]')
    policy = Deciding(ChoiceKind.CANCEL)
    result = attempt(policy, seed=seed_with("cancel"), text=text, service=Refusing)
    (found,) = [one for one in result.checks if one.name == "recovers"]
    assert (found.verdict, found.why) == (Verdict.PASSED, None)


def test_without_a_fault_a_run_is_judged_like_any_other(attempt):
    result = attempt(DefaultPolicy(), seed=3)
    assert result.history.faults == ()
    assert result.verdict is Verdict.PASSED
    assert {"outcomes", "sees_exactly_own", "recovers"} <= {one.name for one in result.checks}


def test_a_client_that_only_the_probe_starts_accuses_nobody(attempt):
    flushed = CREATE.replace('name = "look"', 'name = "flush"').replace(
        'id = "list"\ncall = "list_accounts"', 'id = "flush"\ncall = "flush_clients_for_secret"'
    )
    text = flushed.rpartition("[check]")[0] + "[check]\nsingle_spawn = {}\n"
    result = attempt(DefaultPolicy(), seed=3, text=text)
    assert [one.name for one in result.checks if one.verdict is Verdict.FAILED] == []
    assert len(result.history.clients) > result.history.spawns_asked == 1
