"""Rounds of timings on the real clock: what decides them; a busy machine accuses nobody."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.history.records import NodeKind, Pacing
from harness.results.verdict import Verdict
from harness.runs.course import TOLD_EVERY_S
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.plain_service import PlainService

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIO = """\
claim = "Calls do not wait for each other."
users = { count = 4 }
[[phase]]
name = "one"
do = [{ call = "ask", user = "each" }]
[check]
speedup = %s
"""
# What other programs do while these tests run must not decide them.
BESIDE_ANYTHING = '{ phase = "one", above = 1.8, foreign_cores_max = 1000 }'
# A program of another session; its parent ends at once, so it is no child of this process.
# It ends by itself if the tests are killed.
SPIN = """setsid -f sh -c 'echo $$; exec {python} -c "
import signal
signal.alarm(300)
while True: pass"'"""
BLOCK = bytes(1024 * 1024)


class Waits:
    """Answers after a while, which it waits for."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    async def ask(self, user: str) -> str:
        await asyncio.sleep(0.02)
        return user


class TakesTurns(Waits):
    """Holds a lock meanwhile."""

    async def ask(self, user: str) -> str:
        async with self.lock:
            return await super().ask(user)


class WorksInTurns(Waits):
    """Holds a lock while a thread works, which uses a core."""

    async def ask(self, user: str) -> str:
        async with self.lock:
            await asyncio.to_thread(lambda: [hashlib.sha256(BLOCK) for _ in range(20)])
            return user


def run(path, service, backend):
    return run_scenario(
        read_scenario(path),
        backend=backend,
        seed=1,
        system=PlainService(service),
        system_path=f"{service.__module__}:{service.__name__}",
    )


@pytest.fixture
def timed(tmp_path):
    """Run a service live, and return its result and what was told meanwhile."""

    def timed_run(service: type, speedup: str = BESIDE_ANYTHING) -> tuple[Any, list[str]]:
        path = tmp_path / "claim.toml"
        path.write_text(SCENARIO % speedup)
        told: list[str] = []
        backend = open_backend("live", needs_node=False, progress=told.append)
        try:
            return run(path, service, backend), told
        finally:
            backend.close()

    return timed_run


@pytest.fixture
def busy() -> Iterator[None]:
    """Keep every core busy from another session."""
    pids = []
    try:
        for _ in range(os.cpu_count() or 1):
            command = SPIN.format(python=sys.executable)
            with subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE) as started:
                assert started.stdout is not None
                pids.append(int(started.stdout.readline()))
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def check_of(result):
    return next(one for one in result.checks if one.name == "speedup")


@pytest.mark.parametrize(
    ("service", "verdict"),
    [(Waits, Verdict.PASSED), (TakesTurns, Verdict.FAILED)],
)
def test_a_ratio_far_from_the_bound_is_decided_within_ten_rounds(timed, service, verdict):
    result, _ = timed(service)
    assert check_of(result).verdict is verdict
    rounds = {one.round for one in result.history.measurements}
    assert rounds == {one.round for one in result.history.machine}
    assert 6 <= len(rounds) <= 10


def test_a_lock_is_named_that_takes_the_speed_up_away(timed):
    result, _ = timed(TakesTurns)
    assert "TakesTurns.lock was held" in check_of(result).why


def test_the_order_of_both_pacings_alternates_and_a_control_runs_in_each_round(timed):
    result, _ = timed(Waits)
    first = [one.pacing for one in result.history.measurements][::2]
    assert first[:4] == [Pacing.SEQUENTIAL, Pacing.TOGETHER] * 2
    assert all(one.room > 0 for one in result.history.machine)
    assert all(one.own_cores < 1 for one in result.history.machine)


def test_the_work_of_a_service_is_its_own_and_not_foreign(timed):
    result, _ = timed(WorksInTurns)
    used = sorted(one.own_cores for one in result.history.machine)
    assert used[len(used) // 2] > max(one.own_cores for one in timed(Waits)[0].history.machine)


@pytest.mark.skipif(sys.platform != "linux", reason="what others use is in /proc")
@pytest.mark.parametrize("service", [Waits, TakesTurns, WorksInTurns])
def test_a_busy_machine_accuses_nobody_and_is_given_up_within_ten_rounds(timed, busy, service):
    result, _ = timed(service, '{ phase = "one", above = 1.8 }')
    found = check_of(result)
    assert found.verdict is Verdict.UNKNOWN
    assert "5 of 5 rounds dropped: others used" in found.seen
    assert len(result.history.measurements) == 10


@pytest.mark.nightly
def test_two_claims_of_a_phase_share_its_rounds(timed):
    result, _ = timed(
        Waits,
        '[{ phase = "one", above = 1.5, foreign_cores_max = 1000 },'
        ' { phase = "one", above = 1.8, foreign_cores_max = 1000 }]',
    )
    assert [one.verdict for one in result.checks if one.name == "speedup"] == [Verdict.PASSED] * 2
    rounds = [one.round for one in result.history.measurements]
    assert sorted(rounds) == sorted([*range(len(rounds) // 2)] * 2)


def test_long_work_tells_how_far_it_is(timed, monkeypatch):
    assert TOLD_EVERY_S >= 10
    monkeypatch.setattr("harness.runs.course.TOLD_EVERY_S", 0.0)
    _, told = timed(Waits)
    assert told[1].startswith("claim: speed-up of one: ")
    assert told[1].endswith("so far, 2 rounds")


def test_virtual_time_knows_no_machine(tmp_path):
    path = tmp_path / "claim.toml"
    path.write_text(SCENARIO % BESIDE_ANYTHING)
    backend = open_backend(NodeKind.SIMULATED, needs_node=False)
    result = run(path, TakesTurns, backend)
    assert result.history is not None
    assert result.history.machine == ()
    assert len(result.history.measurements) == 2
    assert check_of(result).seen == "1.00, sequential 0.080 s, together 0.080 s, 1 round"
