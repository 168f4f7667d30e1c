"""A live run that no longer moves is ended with a diagnosis, and the next one still runs."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from harness.live.backend import LiveBackend
from harness.results.verdict import Verdict
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.systems.plain_service import PlainService

SCENARIO = """
claim = "It ends."
users = ["alice"]
[[phase]]
name = "one"
[[phase.do]]
call = "ask"
[check]
no_deadlock = { within_s = 30 }
"""


class Sound:
    """Answers."""

    async def ask(self) -> int:
        return 1


class HangsInClose(Sound):
    """Never gets through its own end."""

    async def __aenter__(self) -> None:
        self.never = asyncio.Event()

    async def __aexit__(self, *_error: object) -> None:
        await self.never.wait()


class Blocks(Sound):
    """Sleeps in a coroutine, so that the loop takes no turn."""

    async def ask(self) -> int:
        time.sleep(3600)  # noqa: ASYNC251 - this is what is wrong with it
        return 1


@pytest.fixture
def ran(tmp_path, monkeypatch):
    path = tmp_path / "ends.toml"
    path.write_text(SCENARIO, encoding="utf-8")

    def run(service, stall_s="0.5"):
        monkeypatch.setenv("HARNESS_STALL_S", stall_s)
        backend = LiveBackend(None, progress=print)
        return run_scenario(
            read_scenario(path), backend, system=PlainService(service), system_path="x:y", seed=0
        )

    return run


def test_an_end_that_never_comes_is_ended_with_its_line(ran):
    result = ran(HangsInClose)
    assert result.verdict is Verdict.FAILED
    told = str([check.why for check in result.checks])
    assert "test_stall_watchdog.py" in told


def test_blocking_code_in_a_coroutine_is_interrupted_and_named(ran):
    before = signal.getsignal(signal.SIGUSR1)
    result = ran(Blocks)
    assert result.verdict is Verdict.FAILED
    told = str(result.checks)
    assert "blocking code in a coroutine" in told
    assert "test_stall_watchdog.py" in told
    assert signal.getsignal(signal.SIGUSR1) == before


def test_the_next_run_after_a_stall_is_sound(ran):
    ran(HangsInClose)
    # However slow the machine is, this one does not stall.
    assert ran(Sound, stall_s="60").verdict is Verdict.PASSED
