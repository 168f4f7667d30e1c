"""harness explore, replay TOKEN and verify: what they print, keep and end with."""

from __future__ import annotations

import json
import os
import re

import pytest

from tests.harness.shop import paying_at

SOUND = ("--system", "exploring_shop:SoundShop")


def test_a_clean_search_is_0_and_says_how_sure_it_makes_one(harness):
    done = harness("explore", "--runs", "200", *SOUND, "--seed", "5")
    assert done.returncode == 0
    assert done.stderr.startswith(
        "harness: exploring 1 scenario, portfolio, 200 runs each, seed 5,"
    )
    assert done.stdout.splitlines()[-1].endswith("seed 5")
    for word in ("pct:3: n = ", " k = ", "d = 3", "with 95 % confidence", "coverage: "):
        assert word in done.stdout


def test_a_failure_is_1_and_its_token_repeats_it(harness, shop):
    done = harness("explore", "--first", "--seed", "0", "--jobs", "1")
    assert done.returncode == 1
    (token,) = re.findall(r"replay: harness replay (mh1-\S+)", done.stdout)
    again = harness("replay", token, "--trace", "run.pftrace")
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1] == "failed in the same way"
    assert (shop / "run.pftrace").stat().st_size > 0


def test_reports_and_json_are_written_and_failures_saved(harness, shop):
    done = harness("explore", "--first", "--report", "out", "--json", "out.json", "--save")
    assert done.returncode == 1
    assert (shop / "out" / "index.html").exists()
    (one,) = json.loads((shop / "out.json").read_text(encoding="utf-8"))["explorations"]
    assert one["verdict"] == "failed"
    (saved,) = (shop / "scenarios" / "regressions").glob("*.toml")
    assert f"saved scenarios/regressions/{saved.name}" in done.stderr
    # It is no scenario, and it is replayed first from now on.
    assert harness("list").stdout.count("claim") + harness("list").stdout.count("checks:") == 1
    mended = harness("explore", "--runs", "100", *SOUND)
    assert mended.returncode == 0
    assert "1 regression replayed, all pass" in mended.stderr
    broken = harness("explore", "--strategy", "default")
    assert broken.returncode == 1
    assert "1 regression replayed, 1 failed" in broken.stderr
    assert f"by regression {saved.name}" in broken.stdout


def test_quiet_prints_the_summary_only(harness):
    done = harness("explore", "--quiet", "--runs", "20", *SOUND)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_runs_that_are_alike_are_0_and_runs_that_are_not_are_shown(harness):
    done = harness("verify", "--seeds", "5")
    assert done.returncode == 0
    assert "5 runs made twice: 5 equal; seeds 0 to 4" in done.stdout
    moody = harness("verify", "--seeds", "2", "--system", "exploring_shop:Moody")
    assert moody.returncode == 1
    assert re.search(r"DIFFERENT pay \[simulated, seed [01]\]: entry \d+: .+ \| .+", moody.stdout)


def test_a_failure_that_its_choices_do_not_decide_is_told_as_such(harness):
    done = harness("explore", "--runs", "60", "--jobs", "1", "--system", "exploring_shop:Moody")
    assert done.returncode == 1
    assert "the run is not decided by its seed and its choices" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["explore", "--strategy", "lucky"], 'no strategy "lucky"; known: portfolio, random, pct'),
        (["explore", "--runs", "0"], "--runs: must be at least 1"),
        (["explore", "--time", "-1"], "--time: must be more than 0 seconds, and finite, got -1"),
        (["explore", "--time", "inf"], "--time: must be more than 0 seconds, and finite, got inf"),
        (["explore", "--regressions", "exploring_shop.py"], "exploring_shop.py: must be a folder"),
        (["explore", "--runs", "1", "--time", "1"], "--runs, --time: must be one of the two"),
        (["explore", "--shard", "3/2"], "--shard: must be K/N with K from 1 to N, got 3/2"),
        (["explore", "--shard", "x"], '--shard: must be K/N, got "x"'),
        (["explore", "--node", "live"], '--node must be "simulated", got "live": a search'),
        (["explore", "--resume", "exploring_shop.py"], "exploring_shop.py: must be a directory"),
        (["explore", "--resume", "/proc/nowhere"], "/proc/nowhere: must be a directory"),
        (["explore", "--seed", "x"], "--seed: must be a whole number"),
        (["explore", "gone.toml"], "gone.toml: no such file or folder"),
        (["explore", "--json", "gone/x"], "--json: must be a file in a folder that exists"),
        (["explore", "--dask", "nonsense://"], "--dask: must be an address such as"),
        (["replay", "mh1-abc"], "token: is damaged"),
        (["replay", "mh9-abc"], "token: is of another version of the harness"),
        (["replay", "mh1-" + "x" * 4000], "token: is damaged"),
        (["replay", "mh1-abc", "--seed", "1"], "a token brings its own seed"),
        (["replay", "mh1-abc", "--node", "live"], '--node must be "simulated"'),
        (["replay", "scenarios/pay.toml"], "Missing option '--seed'"),
        (["replay", "mh1-abc", "--trace", "gone/x"], "--trace: must be a file in a folder"),
        (["verify", "--seeds", "0"], "at least one"),
    ],
    ids=lambda value: "_".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_bad_argument_is_2_and_told_with_the_way_out(harness, arguments, told):
    done = harness(*arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr


def test_no_scheduler_at_an_address_is_3(harness):
    done = harness("explore", "--dask", "tcp://127.0.0.1:9")
    assert done.returncode == 3
    assert "--dask: no scheduler answers at tcp://127.0.0.1:9" in done.stderr


def test_a_broken_regression_is_2_and_named(harness, shop):
    (shop / "scenarios" / "regressions").mkdir()
    (shop / "scenarios" / "regressions" / "x.toml").write_text("token = 3\n", encoding="utf-8")
    done = harness("explore")
    assert done.returncode == 2
    assert "x.toml: scenario must be a text" in done.stderr


def test_verify_does_not_end_with_a_service_that_ends_the_interpreter(harness, shop):
    exits = "from exploring_shop import *\n\n\nclass Exits:\n    async def pay(self, user: str):\n"
    (shop / "exits.py").write_text(exits + "        raise SystemExit(0)\n", encoding="utf-8")
    (shop / "scenarios" / "exits.toml").write_text(paying_at("exits").replace("Shop", "Exits"))
    for jobs in ("1", "2"):
        done = harness("verify", "--seeds", "2", "--jobs", jobs)
        assert done.returncode == 3
        assert done.stdout.count("the system under test ended the interpreter: SystemExit(0)") == 2
        assert "EQUAL pay: 2 runs made twice" in done.stdout


def test_a_service_that_ends_the_interpreter_in_a_rare_order_is_found_and_replayed(harness, shop):
    text = (shop / "exploring_shop.py").read_text(encoding="utf-8")
    leaves = text.replace("RuntimeError(", "SystemExit(")
    (shop / "exploring_shop.py").write_text(leaves, encoding="utf-8")
    found = harness("explore", "--runs", "50", "--jobs", "1")
    assert found.returncode == 1
    assert " in 50 runs, 1 failure" in found.stdout
    assert "ended the interpreter: SystemExit('bob overtook alice')" in found.stdout
    (token,) = re.findall(r"replay: harness replay (mh1-\S+)", found.stdout)
    again = harness("replay", token)
    assert again.returncode == 1
    assert again.stdout.splitlines()[-1] == "failed in the same way"
    assert "never awaited" not in found.stderr
    assert "Exception ignored" not in found.stderr + again.stderr


@pytest.mark.parametrize(
    "method",
    [
        "def __init__(self): raise SystemExit(4)",
        "async def __aenter__(self): raise SystemExit(4)",
        "async def __aexit__(self, *error): raise SystemExit(4)",
        "def audit(self): raise SystemExit(4)",
    ],
)
def test_wherever_a_service_ends_the_interpreter_the_search_goes_on(harness, shop, method):
    inside = "__aenter__" if "__aexit__" in method else "__aexit__"
    other = f"    async def {inside}(self, *error): return self\n"
    text = f"from exploring_shop import SoundShop\n\nclass Shop(SoundShop):\n    {method}\n{other}"
    (shop / "exits.py").write_text(text, encoding="utf-8")
    done = harness("explore", "--runs", "5", "--jobs", "1", "--system", "exits:Shop")
    assert done.returncode == 1
    assert " in 5 runs, 1 failure" in done.stdout
    assert "the system under test ended the interpreter: SystemExit(4)" in done.stdout


def test_a_changed_module_that_the_system_imports_is_changed_code(harness, shop):
    (shop / "uses.py").write_text("from exploring_shop import Shop\n", encoding="utf-8")
    (shop / "scenarios" / "pay.toml").write_text(paying_at("uses"), encoding="utf-8")
    found = harness("explore", "--first", "--jobs", "1")
    (token,) = re.findall(r"replay: harness replay (mh1-\S+)", found.stdout)
    text = (shop / "exploring_shop.py").read_text(encoding="utf-8")
    mended = text.replace('raise RuntimeError("bob overtook alice")', "pass")
    (shop / "exploring_shop.py").write_text(mended, encoding="utf-8")
    again = harness("replay", token)
    assert again.returncode == 0
    assert "did not fail: the code has changed" in again.stdout


SWALLOWS = """\
import asyncio, os, signal


class Shop:
    async def pay(self, user: str) -> int:
        if os.environ.get("SIGNAL_ITSELF"):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except BaseException:
                pass
            return 1
        while True:
            try:
                await asyncio.sleep(3600)
            except BaseException:
                pass
"""


def test_a_service_that_takes_everything_does_not_keep_the_process(harness, shop, monkeypatch):
    (shop / "takes.py").write_text(SWALLOWS, encoding="utf-8")
    done = harness("explore", "--runs", "3", "--jobs", "1", "--system", "takes:Shop")
    assert done.returncode == 1
    assert "Exception ignored" not in done.stderr
    monkeypatch.setenv("SIGNAL_ITSELF", "1")
    done = harness("run", "--system", "takes:Shop")
    assert done.returncode == 143


def test_checks_that_no_search_judges_are_named_and_alone_they_are_3(harness, shop):
    path = shop / "scenarios" / "pay.toml"
    text = path.read_text(encoding="utf-8")
    speedup = 'speedup = { phase = "pay", above = 1.5 }\n'
    path.write_text(text + speedup, encoding="utf-8")
    told = "not judged by a search: speedup (harness run judges them)"
    mixed = harness("explore", "--runs", "5", *SOUND)
    assert mixed.returncode == 0, mixed.stdout
    assert told in mixed.stdout
    path.write_text(text.partition("[check]")[0] + "[check]\n" + speedup, encoding="utf-8")
    alone = harness("explore", "--runs", "5", "--jobs", "1", *SOUND, "--report", "out")
    assert alone.returncode == 3
    assert alone.stdout.startswith("UNKNOWN pay ")
    assert f"{told}; nothing else stands under [check]" in alone.stdout
    for name in ("index.html", "summary.md", "junit.xml"):
        assert "not judged by a search: speedup" in (shop / "out" / name).read_text("utf-8")
    document = json.loads((shop / "out" / "exploration.json").read_text(encoding="utf-8"))
    (one,) = document["explorations"]
    assert (one["verdict"], one["not_judged"]) == ("unknown", ["speedup"])


def test_chaos_is_named_before_and_after_the_search(harness):
    done = harness("explore", "--chaos", "--runs", "3", "--jobs", "1", *SOUND)
    assert "portfolio, chaos, 3 runs each" in done.stderr
    assert done.stdout.startswith("PASSED pay [portfolio, chaos, seed 0]")


@pytest.fixture
def regression(harness, shop):
    """Save the shop's failure, and return its file."""
    harness("explore", "--first", "--jobs", "1", "--save")
    (saved,) = (shop / "scenarios" / "regressions").glob("*.toml")
    return saved


def test_a_regression_with_the_token_of_another_scenario_is_2(harness, shop, regression):
    other = shop / "scenarios" / "other.toml"
    other.write_text((shop / "scenarios" / "pay.toml").read_text(encoding="utf-8"), "utf-8")
    text = regression.read_text(encoding="utf-8").replace("../pay.toml", "../other.toml")
    regression.write_text(text, encoding="utf-8")
    done = harness("explore", "scenarios/other.toml", "--runs", "1", *SOUND)
    assert done.returncode == 2
    assert (
        f"{regression.name}: token must be of its scenario, other.toml, got one of" in done.stderr
    )


def test_a_regression_that_could_not_be_replayed_is_3_and_named(harness, regression, shop):
    does = 'await asyncio.open_connection("x", 1)'
    with (shop / "exploring_shop.py").open("a", encoding="utf-8") as file:
        file.write(f"class Odd(SoundShop):\n    async def pay(self, user: str):\n        {does}\n")
    system = ("--system", "exploring_shop:Odd")
    done = harness("explore", "--runs", "1", "--jobs", "1", *system)
    assert done.returncode == 3, done.stderr
    assert f"{regression.name}: could not be replayed: " in done.stderr
    assert "all pass" not in done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = " + "[" * 100_000, "x.toml: is nested too deeply"),
        (f'scenario = "{"x" * 9_000}"\ntoken = ""\ncause = ""\nfound = ""\n', "scenario must be a"),
    ],
    ids=["deep", "long"],
)
def test_a_regression_of_no_sensible_size_is_2_and_named(harness, shop, text, told):
    folder = shop / "scenarios" / "regressions"
    folder.mkdir()
    (folder / "x.toml").write_text(text, encoding="utf-8")
    done = harness("explore", "--runs", "1")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr) < 2_000


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_among_regressions_is_2_at_once(harness, shop, make):
    folder = shop / "scenarios" / "regressions"
    folder.mkdir()
    make(folder / "x.toml")
    done = harness("explore", "--runs", "1")
    assert done.returncode == 2
    assert "x.toml: must be a file of text" in done.stderr


def test_a_file_where_regressions_would_be_saved_is_2_before_the_search(harness, shop):
    (shop / "scenarios" / "regressions").write_text("", encoding="utf-8")
    done = harness("explore", "--first", "--save")
    assert done.returncode == 2
    assert "regressions: must be a folder" in done.stderr
    assert done.stdout == ""
