"""The command compare: stored reports, trees of code, and what is said of all that is neither."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from harness.cli.app import main
from tests.command import HARNESS, ROOT
from tests.harness.cli.test_command_line import processes_of
from tests.there import there
from tests.waiting import LIMIT_S, wait_until

SERVICE = """\
import asyncio


class Shop:
    async def pay(self, user: str) -> int:
        await asyncio.sleep(PAY_S)
        return 1


async def pays() -> None:
    await asyncio.gather(*(Shop().pay(str(number)) for number in range(9)))
"""
SCENARIO = """\
claim = "Two people pay at once."
system = "comparing_shop:Shop"
users = ["ann", "ben"]

[[phase]]
name = "pay"
do = [{ call = "pay", user = "each" }]

[check]
success_share = { at_least = 1.0 }
"""
# One round: what is measured stays unknown, as too little was.
SHORT = ("--budget", "0.01")


def tree(folder, pay_s=0.1, service=SERVICE):
    """Make a project of a service and a scenario."""
    (folder / "scenarios").mkdir(parents=True)
    text = service.replace("PAY_S", str(pay_s))
    (folder / "comparing_shop.py").write_text(text, encoding="utf-8")
    (folder / "scenarios" / "pay.toml").write_text(SCENARIO, encoding="utf-8")
    return folder


@pytest.fixture
def compare(tmp_path, monkeypatch):
    """Run the command in a folder of its own; returns exit code, output and messages."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scratch").mkdir()

    def run(*arguments):
        done = subprocess.run(
            [*HARNESS, "compare", *arguments],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TMPDIR": str(tmp_path / "scratch"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        assert list((tmp_path / "scratch").iterdir()) == []
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Store the reports of two trees, the second of which pays more slowly."""
    root = tmp_path_factory.mktemp("stored")
    for name, pay_s in (("before", 0.1), ("after", 0.125)):
        command = [*HARNESS, "run", "--quiet", "--seeds", "2", "--report", str(root / name)]
        subprocess.run(
            command,
            cwd=tree(root / "trees" / name, pay_s),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
            timeout=LIMIT_S,
        )
    return root


@pytest.fixture
def reports(stored, compare, monkeypatch):
    """Make the folder of the reports the current one."""
    monkeypatch.chdir(stored)


def test_two_reports_are_compared_exactly_and_written_for_people_and_programs(reports, compare):
    code, told, _ = compare("before", "after", "--json", "c.json", "--markdown", "c.md")
    assert code == 1
    assert told.splitlines()[0] == (
        "SLOWER pay [simulated] elapsed: 100 ms → 125 ms (+25.0 %, with seed 0; more in 2 of 2"
        " seeds)"
    )
    with open("c.json", encoding="utf-8") as file:  # noqa: PTH123 - in the current folder
        assert json.load(file)["verdict"] == "failed"
    with open("c.md", encoding="utf-8") as file:  # noqa: PTH123 - as above
        assert "| slower | pay | p50 of pay | 100 ms | 125 ms |" in file.read()
    code, told, _ = compare("after", "before/report.json")
    assert (code, told.count("FASTER")) == (0, 6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["before"], "Missing argument 'NEW'"),
        (["before", "before/."], "before and before are the same report"),
        (["before", "nothing"], "nothing: no such file or folder; name a report of harness run"),
        (["before", "trees/after"], "trees/after: holds no report.json; write one with"),
        (["before", "after/summary.md"], "after/summary.md: is not JSON"),
        (["before", "after", "--seeds", "2"], "--seeds: only with --run, which runs two trees"),
        (["before", "after", "scenarios"], "PATH: only with --run"),
        (["before", "after", "--json", "no/x"], "--json: must be a file in a folder that exists"),
        (["before", "after", "--markdown", "trees"], "--markdown: must be a file in a folder"),
        (["--run", "trees/after", "trees/after"], "are the same folder; name two, or a revision"),
        (["--run", "trees/after", "after/summary.md"], "must be a folder, or a revision of git"),
        (["--run", "no", "trees/after"], "no: no such folder, and no revision of git here"),
        (["--run", "--", "--help", "trees/after"], "--help: no such folder, and no revision"),
        (["--run", "trees/after", "trees/before", "--seeds", "0"], "--seeds: must be 1 to 1,000"),
        (["--run", "trees/after", "trees/before", "--seed", "x"], "--seed: must be a whole number"),
        (["--run", "trees/after", "trees/before", "--budget", "0"], "--budget: must be over 0"),
        (["--run", "trees/after", "trees/before", "--difference", "0.5"], "1 to 100 percent"),
        (["--run", "trees/after", "trees/before", "lost"], "trees/after: harness run refuses its"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_with_the_way_out(stored, arguments, told, monkeypatch, capsys):
    monkeypatch.chdir(stored)
    monkeypatch.setattr(sys, "argv", ["harness", "compare", *arguments])
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.nightly
def test_a_revision_is_compared_with_the_folder_in_virtual_time_and_in_cpu_seconds(
    compare, tmp_path, monkeypatch
):
    here = tree(tmp_path / "project")
    monkeypatch.chdir(here)
    git = (there(shutil.which("git")), "-c", "user.name=x", "-c", "user.email=x@x")
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    service = here / "comparing_shop.py"
    service.write_text(service.read_text("utf-8").replace("0.1", "0.2"), encoding="utf-8")
    asked = ("scenarios", "comparing_shop:pays", "--json", "c.json", *SHORT)
    code, told, said = compare("--run", "HEAD", ".", *asked)
    assert code == 1, told + said
    assert "harness: old is HEAD, with the harness of this command" in said
    assert "SLOWER comparing_shop:pays [simulated] elapsed: 100 ms → 200 ms" in told
    assert "SLOWER pay [simulated] p50 of pay: 100 ms → 200 ms" in told
    found = json.loads((here / "c.json").read_text("utf-8"))
    measured = {one["scenario"]: one for one in found["measured"]}
    assert measured.keys() == {"comparing_shop:pays", "pay"}
    assert all(one["samples"] == 1 and one["old"] > 0 for one in measured.values())
    # Nothing that was compiled stays in the tree.
    assert not list(here.rglob("__pycache__"))


@pytest.mark.nightly
def test_code_that_is_not_of_the_trees_is_refused(compare, tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    code, _, said = compare("--run", "old", "new", "asyncio:sleep0", *SHORT)
    assert code == 3
    assert "old: cannot be measured: AttributeError" in said
    text = SCENARIO.replace("comparing_shop:Shop", "elsewhere:Shop")
    for name in ("old", "new"):
        (tmp_path / name / "pay.toml").write_text(text, encoding="utf-8")
    (tmp_path / "elsewhere.py").write_text(SERVICE.replace("PAY_S", "0.1"), encoding="utf-8")
    paths = f"{ROOT}{os.pathsep}{tmp_path}"
    done = subprocess.run(
        [*HARNESS, "compare", "--run", "old", "new", "pay.toml", *SHORT],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 2, done.stderr
    assert "runs no module of this folder, but what is installed" in done.stderr


def test_a_scenario_that_fails_now_is_said_first_and_is_not_measured(compare, tmp_path):
    tree(tmp_path / "old")
    failing = SERVICE.replace("return 1", "raise ValueError(user)")
    tree(tmp_path / "new", service=failing)
    code, told, _ = compare("--run", "old", "new", *SHORT, "--quiet")
    assert code == 1
    assert told.startswith("FAILED pay [simulated, seed 0]: passed → failed; success_share passed")
    assert "note: CPU not compared, since the runs end in another way: pay" in told
    assert "[measured]" not in told


def test_a_tree_whose_process_ends_is_told_with_its_last_words(compare, tmp_path):
    tree(tmp_path / "old")
    head = "async def pays() -> None:\n"
    dies = SERVICE.replace(
        head, f"{head}    print('last words', flush=True)\n    os.kill(os.getpid(), 9)\n"
    )
    tree(tmp_path / "new", service=f"import os\n{dies}")
    code, _, said = compare("--run", "old", "new", "comparing_shop:pays")
    assert code == 3
    assert "new: its process ended with -9; it said: last words" in said


@pytest.mark.nightly
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_comparison_leaves_nothing_behind(tmp_path, number, code):
    for name in ("old", "new", "scratch"):
        tree(tmp_path / name)
    log = tmp_path / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [*HARNESS, "compare", "--run", "old", "new", "comparing_shop:pays"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "scratch")},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        wait_until(lambda: "a round takes" in log.read_text(), process=running)
        os.killpg(running.pid, number)
        assert running.wait(timeout=LIMIT_S) == code
    assert "Traceback" not in log.read_text()
    wait_until(lambda: not processes_of(running.pid))
    assert not list((tmp_path / "scratch").glob("harness-*"))
