"""A failure that is kept passes once its cause is mended, whatever was left out of its workload."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from harness import explore_scenario
from harness.scenario.reading import read_scenario
from harness.search.failures.regressions import read_regression, replay_regression, save_regression
from tests.there import there

NUMBERS = count()
SCENARIO = """
claim = "Nothing is lost."
system = "{module}:Service"
[[phase]]
name = "all"
{steps}
[check]
{check}
"""
TWICE = '[[phase.do]]\nid = "op"\ncall = "op"\ntimes = 2\n'
PAIR = '[[phase.do]]\nid = "waits"\ncall = "waits"\n[[phase.do]]\nid = "tells"\ncall = "tells"\n'
# The service, and what is to be put for what to mend it.
LOST_UPDATE = """
import asyncio
class Service:
    def __init__(self):
        self.value = 0
    async def op(self):
        value = self.value
        await asyncio.to_thread(int)
        self.value = value + 1
    async def audit(self):
        return [] if self.value == 2 else [f"lost update: {self.value}"]
"""
LOST_WAKE_UP = """
import asyncio
class Service:
    def __init__(self):
        self.told = asyncio.Event()
    async def waits(self):
        await self.told.wait()
    async def tells(self):
        self.told.clear()
"""
LEFT = """
import asyncio
class Service:
    async def waits(self):
        self.task = asyncio.create_task(asyncio.sleep(3600))
    async def tells(self):
        await asyncio.sleep(0.1)
        self.task.get_name()
"""


CASES = {
    "an audit": (LOST_UPDATE, ("= value + 1", "= self.value + 1"), TWICE, ""),
    "a deadlock": (LOST_WAKE_UP, ("clear", "set"), PAIR, "no_deadlock = { within_s = 5 }"),
    "a leak": (LEFT, ("get_name", "cancel"), PAIR, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_a_kept_failure_passes_once_it_is_mended(tmp_path, monkeypatch, case):
    service, mended, steps, check = CASES[case]
    module = f"mended_{next(NUMBERS)}"
    monkeypatch.chdir(tmp_path)
    sound = service.replace(*mended).replace("Service", "Mended")
    Path(f"{module}.py").write_text(service + sound, encoding="utf-8")
    path = Path("kept.toml")
    text = SCENARIO.format(module=module, steps=steps, check=check)
    path.write_text(text, encoding="utf-8")
    found = explore_scenario(path, runs=20)
    assert found.failures
    kept = save_regression(found.failures[0], read_scenario(path), found="here")
    regression = read_regression(there(kept))
    assert replay_regression(regression, system=None) is not None
    assert replay_regression(regression, system=f"{module}:Mended") is None
