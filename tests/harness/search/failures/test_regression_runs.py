"""Regressions are replayed first by every simulated ``harness run``, and judged like its runs."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from harness.search.failures.token import Token

SOUND = ("--system", "exploring_shop:SoundShop")


@pytest.fixture
def regression(harness, shop):
    """Save the shop's failure, and return its file."""
    harness("explore", "--first", "--jobs", "1", "--save")
    (saved,) = (shop / "scenarios" / "regressions").glob("*.toml")
    return saved


def test_a_failure_that_was_mended_is_replayed_first_and_passes(harness, regression):
    done = harness("run", *SOUND)
    assert done.returncode == 0, done.stdout
    assert done.stderr == "harness: 1 run and 1 regression, simulated, seed 0\n"
    first, second, summary = done.stdout.splitlines()
    assert first.startswith(f"PASSED regressions/{regression.stem} [simulated, seed ")
    assert second.startswith("PASSED pay [simulated, seed ")
    assert summary.startswith("2 runs: 2 passed")


def test_a_failure_that_came_back_fails_the_run_though_its_scenario_passes(harness, regression):
    done = harness("run", "--json", "found.json")
    assert done.returncode == 1
    assert "PASSED pay [simulated, seed " in done.stdout
    assert f"FAILED regressions/{regression.stem} [simulated, seed " in done.stdout
    (line,) = re.findall(r"replay: (harness replay mh1-\S+)", done.stdout)
    again = harness(*shlex.split(line)[1:])
    assert again.returncode == 1
    assert "bob overtook alice" in again.stdout


def test_a_report_has_it_as_a_run_of_its_own(harness, regression, shop):
    harness("run", "--json", "found.json", "--report", "out")
    back, pay = json.loads((shop / "found.json").read_text(encoding="utf-8"))["runs"]
    assert (back["verdict"], pay["verdict"]) == ("failed", "passed")
    assert back["path"] == f"scenarios/regressions/{regression.name}"
    assert back["claim"].startswith("what failed once does not fail again")
    page = (shop / "out" / "index.html").read_text(encoding="utf-8").replace("<wbr>", "")
    assert f"regressions/{regression.stem}" in page


def test_it_is_replayed_once_however_many_seeds_are_run(harness, regression):
    done = harness("run", "--seeds", "70", "--jobs", "2", *SOUND)
    assert done.returncode == 0
    assert done.stdout.count(regression.stem) == 1
    assert "71 runs: 71 passed" in done.stdout


def test_the_replay_of_a_run_replays_no_regression(harness, regression):
    done = harness("replay", "scenarios/pay.toml", "--seed", "0")
    assert done.returncode == 0
    assert regression.stem not in done.stdout


def test_one_that_cannot_be_replayed_is_unknown_and_3(harness, regression, shop):
    does = 'await asyncio.open_connection("x", 1)'
    with (shop / "exploring_shop.py").open("a", encoding="utf-8") as file:
        file.write(f"class Odd(SoundShop):\n    async def pay(self, user: str):\n        {does}\n")
    done = harness("run", "--system", "exploring_shop:Odd")
    assert done.returncode == 3
    assert f"UNKNOWN regressions/{regression.stem}" in done.stdout


def test_a_broken_one_is_2_before_anything_is_run(harness, regression):
    regression.write_text("token = 3\n", encoding="utf-8")
    done = harness("run")
    assert done.returncode == 2
    assert f"{regression.name}: scenario must be a text" in done.stderr
    assert done.stdout == ""


def test_the_line_that_repeats_it_is_of_the_system_that_it_failed_on(harness, shop):
    with (shop / "exploring_shop.py").open("a", encoding="utf-8") as file:
        file.write("class Elsewhere(Shop):\n    pass\n")
    harness("explore", "--first", "--jobs", "1", "--save", "--system", "exploring_shop:Elsewhere")
    done = harness("run")
    assert done.returncode == 1
    (line,) = re.findall(r"replay: (harness replay mh1-\S+)", done.stdout)
    token = Token.read(line.split()[-1])
    assert token.terms.system == "exploring_shop:Shop"
    assert "the code has changed" not in harness(*shlex.split(line)[1:]).stdout
