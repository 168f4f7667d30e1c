"""Batches: what one run does to itself costs no other run, and nothing lost is green."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from harness.errors import BadInput, CouldNotRun, Terminated
from harness.live.backend import LiveBackend
from harness.results.profile_used import NOMINAL
from harness.results.verdict import Verdict
from harness.runs import runner
from harness.runs.batch import Batch, read_scenarios, run_batch
from harness.runs.runner import run_scenario
from harness.simulated.world.profile_reading import profile_named

ROOT = Path(__file__).parents[3]
SCENARIO = """
claim = "Everybody is answered."
users = ["{user}"]
[[phase]]
name = "ask"
[[phase.do]]
call = "ask"
user = "{user}"
[check]
"""
SYSTEM = """
import os, sys
from harness.errors import Terminated

class Service:
    async def ask(self, user):
        if user == "terminated":
            raise Terminated(143)
        if user == "leaver":
            sys.exit(0)
        if user == "killer":
            os.kill(os.getpid(), 9)
        return user
"""
MODULE_NUMBERS = itertools.count()


class Watched:
    def __init__(self) -> None:
        self.total = 0
        self.seen = []

    def start(self, total: int) -> None:
        self.total = total

    def finished(self, result) -> None:
        self.seen.append((result.scenario, result.seed))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a scenario for each user, in this order, and map it to its results."""
    monkeypatch.chdir(tmp_path)
    module = f"batch_system_{next(MODULE_NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(SYSTEM, encoding="utf-8")

    def run(*users: str, **options):
        paths = []
        for number, user in enumerate(users):
            paths.append(Path(f"{number:02}_{user}.toml"))
            paths[-1].write_text(SCENARIO.format(user=user), encoding="utf-8")
        options = {"system": f"{module}:Service", **options}
        return run_batch(Batch(scenarios=read_scenarios(paths), **options), Watched())

    return run


def verdicts(report) -> str:
    return "".join(one.verdict[0] for one in report.runs)


def test_a_batch_closes_its_backend(run, monkeypatch):
    closed = []
    close = LiveBackend.close

    def watched(self):
        closed.append(self)
        close(self)

    monkeypatch.setattr(LiveBackend, "close", watched)
    assert verdicts(run("alice", "bob", node="live")) == "pp"
    assert len(closed) == 1


def test_a_service_that_ends_the_interpreter_is_unknown_and_the_others_pass(run):
    report = run("alice", "leaver", "bob")
    assert verdicts(report) == "pup"
    lost = report.runs[1]
    assert "ended the interpreter: SystemExit(0)" in lost.could_not_run
    assert lost.replay.endswith(":Service")
    assert report.verdict is Verdict.UNKNOWN


def test_a_process_that_is_terminated_in_a_run_ends_and_tells_of_no_run(run):
    with pytest.raises(Terminated):
        run("alice", "terminated", "bob")


def test_a_worker_that_dies_costs_the_run_it_died_in(run):
    report = run(*["alice"] * 10, "killer", "bob", jobs=2)
    assert verdicts(report) == "pppppppppp" + "u" + "p"
    assert "worker processes died (1)" in report.runs[10].could_not_run


def test_when_every_worker_dies_all_is_unknown_and_it_ends(run):
    report = run("killer", jobs=2, seeds=20)
    assert verdicts(report) == "u" * 20
    assert [one.seed for one in report.runs] == list(range(20))


def test_a_fault_of_the_harness_costs_one_run(run, monkeypatch):
    sound = run_scenario

    def faulty(scenario, *arguments, **options):
        if scenario.name.endswith("bob"):
            raise ZeroDivisionError("by nought")
        return sound(scenario, *arguments, **options)

    monkeypatch.setattr(runner, "run_scenario", faulty)
    report = run("alice", "bob", "carol")
    assert verdicts(report) == "pup"
    assert "ZeroDivisionError('by nought') at test_batch.py:" in report.runs[1].could_not_run


def test_processes_give_the_same_results_in_the_same_order(run):
    one, two = (run("alice", "bob", jobs=jobs, seeds=10) for jobs in (1, 2))
    told = [[(run.scenario, run.seed, run.digest) for run in report.runs] for report in (one, two)]
    assert told[0] == told[1]
    assert [seed for _, seed, _ in told[0]] == [seed for seed in range(10) for _ in range(2)]


@pytest.mark.parametrize("text", ["import sys; sys.exit(0)", "raise KeyError('x')", "def x(:"])
def test_a_module_that_cannot_be_imported_is_bad_input(run, tmp_path, text):
    module = f"batch_broken_{next(MODULE_NUMBERS)}"
    (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=f'system "{module}:X": '):
        run("alice", system=f"{module}:X")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seeds": 1_000_001}, "1,000,001 runs are too many at once"),
        ({"seeds": 2**63, "seed": 5}, "runs are too many at once"),
        ({"seed": 2**64 - 1, "seeds": 2}, "seeds must be 0 to"),
        ({"jobs": 257}, "at least 1 and at most 256, got 257"),
        ({"jobs": -1}, "at least 1 and at most 256, got -1"),
    ],
)
def test_numbers_out_of_bounds_are_refused_before_anything_runs(run, options, told):
    with pytest.raises(BadInput, match=told):
        run("alice", **options)


def test_the_last_seed_there_is_can_be_run(run):
    assert verdicts(run("alice", seed=2**64 - 1)) == "p"


def test_mistakes_of_all_files_are_told_at_once(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("claim = 3\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"(?s)a\.toml.*b\.toml"):
        read_scenarios([tmp_path])


def test_both_are_all_simulated_runs_and_then_all_live_ones(run):
    report = run("alice", "bob", node="both", seeds=2)
    assert [(one.node, one.seed) for one in report.runs] == [
        *[("simulated", seed) for seed in (0, 0, 1, 1)],
        *[("live", seed) for seed in (0, 0, 1, 1)],
    ]
    assert verdicts(report) == "p" * 8


def test_both_are_shared_among_processes_only_where_nothing_is_measured(run):
    report = run("alice", "bob", node="both", jobs=2)
    assert [one.node for one in report.runs] == ["simulated"] * 2 + ["live"] * 2


def test_what_needs_no_node_runs_where_none_can_be_started(run, tmp_path, monkeypatch):
    needs = (
        "class Needy:\n    def __init__(self, clients): ...\n    async def ask(self, user): ...\n"
    )
    (tmp_path / "needy_system.py").write_text(needs, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "needy.toml").write_text(
        'system = "needy_system:Needy"\n' + SCENARIO.format(user="alice"), encoding="utf-8"
    )

    def no_docker(_self, partner, *, progress):
        raise CouldNotRun("Docker does not answer")

    module = run("alice").runs[0].replay.split("--system ")[1]
    plain = f'system = "{module}"\n' + SCENARIO.format(user="bob")
    (tmp_path / "plain.toml").write_text(plain, encoding="utf-8")
    opened = LiveBackend.__init__

    def opens(self, partner, *, progress):
        (opened if partner is None else no_docker)(self, partner, progress=progress)

    monkeypatch.setattr(LiveBackend, "__init__", opens)
    paths = [Path("needy.toml"), Path("plain.toml")]
    report = run_batch(Batch(scenarios=read_scenarios(paths), node="both"), Watched())
    assert [(one.scenario, one.node, one.verdict.value) for one in report.runs] == [
        ("needy", "simulated", "passed"),
        ("plain", "simulated", "passed"),
        ("needy", "live", "unknown"),
        ("plain", "live", "passed"),
    ]
    assert report.runs[2].could_not_run == "Docker does not answer"
    assert report.verdict is Verdict.UNKNOWN


def test_a_profile_is_that_of_every_simulated_run_in_any_process(tmp_path):
    paths = [ROOT / "scenarios/two_users_create_accounts.toml"]
    profile = profile_named("live-2-cores")

    def digests(**options):
        batch = Batch(scenarios=read_scenarios(paths), seeds=2, **options)
        return [(one.digest, one.profile) for one in run_batch(batch, Watched()).runs]

    alone, shared = digests(profile=profile, jobs=1), digests(profile=profile, jobs=2)
    nominal = digests(jobs=1)
    assert alone == shared
    assert profile is not None
    assert {used for _, used in alone} == {profile.used}
    assert {used for _, used in nominal} == {NOMINAL}
    assert not {digest for digest, _ in alone} & {digest for digest, _ in nominal}
