"""A small shop with a bug in it, in a folder of its own, and the command line in that folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.scenario.reading import read_scenario
from tests.command import COMMAND, ROOT, run_harness
from tests.harness.shop import SHOP, paying_at

# On a machine that is busy enough, workers do not end in the few seconds that a person would wait.
PATIENT = "from harness.search.pieces import workers; workers.STOP_S = 100.0; "
MORE_SHOPS = """\
import os


class DiesOnce(SoundShop):
    async def pay(self, user: str) -> int:
        if os.path.exists("die"):
            os.remove("die")
            os.kill(os.getpid(), 9)
        return await super().pay(user)


class Dies:
    async def pay(self, user: str) -> int:
        os.kill(os.getpid(), 9)


class Moody(SoundShop):
    seen = 0

    async def pay(self, user: str) -> int:
        Moody.seen += 1
        for _ in range(Moody.seen % 5):
            await asyncio.sleep(0.5)
        if Moody.seen % 7 == 0:
            raise RuntimeError("a mood")
        return 1
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Make the shop's folder the current one."""
    (tmp_path / "exploring_shop.py").write_text(SHOP + MORE_SHOPS, encoding="utf-8")
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "pay.toml").write_text(paying_at("exploring_shop"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pay(shop):
    """Read the shop's scenario."""
    return read_scenario(Path("scenarios/pay.toml"))


@pytest.fixture
def harness(shop):
    """Run the command line in the shop's folder."""

    def run(*arguments):
        return run_harness(*arguments, folder=shop)

    return run


@pytest.fixture
def begin(shop):
    """Start the command line in the shop's folder, and do not wait for it."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", PATIENT + COMMAND, *arguments],
            cwd=shop,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
