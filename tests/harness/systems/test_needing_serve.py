"""Whatever needs mosaic-serve says so in one line before the run, where it is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
# Python then finds no package of that name, as if it were not installed.
WITHOUT = "import sys; sys.modules['serve'] = None; from harness.__main__ import main; main()"
WITH = "from harness.__main__ import main; main()"
SYSTEM = """
class Own:
    def __init__(self, clients):
        pass

    async def list_desks(self):
        return []
"""
SCENARIO = """
claim = "There are no desks."
users = ["alice"]
{system}
[[phase]]
name = "ask"
[[phase.do]]
call = "list_desks"
[check]
"""
COMMANDS = (
    ("run",),
    ("run", "--node", "live"),
    ("run", "--seeds", "2", "--jobs", "2"),
    ("explore", "--runs", "2"),
    ("verify", "--seeds", "1"),
    ("replay", "scenarios/desks.toml", "--seed", "0"),
)
INSTALL = 'which is not installed: pip install mosaic-serve, or "./serve" in a checkout; or '
ADAPTER = "system serve: needs mosaic-serve, "
PARTNER = "system: a service that asks for clients of a Miden node needs mosaic-serve, "


@pytest.fixture
def refused(tmp_path):
    """Run the command line in a folder with a scenario of a system; return the refusal."""
    (tmp_path / "own.py").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "scenarios").mkdir()

    def refused(program, system, *arguments):
        text = SCENARIO.format(system=system)
        (tmp_path / "scenarios" / "desks.toml").write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 2, done.stdout + done.stderr
        # Nothing was run, so nothing has a result.
        assert not done.stdout
        return done.stderr.splitlines()[-1].strip()

    return refused


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_class_that_asks_for_clients_is_refused_before_it_runs(refused, arguments):
    told = refused(WITHOUT, 'system = "own:Own"', *arguments)
    assert told == f"{PARTNER}{INSTALL}rename its parameter clients"


def test_the_system_that_needs_no_name_is_refused_alike(refused):
    assert refused(WITHOUT, "", "run") == f"{ADAPTER}{INSTALL}name a system of your own"


@pytest.mark.parametrize(("system", "start"), [('system = "own:Own"', PARTNER), ("", ADAPTER)])
@pytest.mark.parametrize("name", ["serve.py", "serve/__init__.py"])
def test_another_package_of_that_name_is_told_by_its_file(refused, tmp_path, system, start, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("PRICE = 3\n", encoding="utf-8")
    told = refused(WITH, system, "run")
    assert told.startswith(f"{start}whose package serve is hidden by {tmp_path / name}: rename")
