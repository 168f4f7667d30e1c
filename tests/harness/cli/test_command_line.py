"""The command line: one clear message and the right exit code for each thing that goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from harness.cli.app import main
from tests.command import COMMAND, HARNESS, ROOT, run_harness
from tests.there import there
from tests.waiting import LIMIT_S, wait_until

SCENARIOS = len(list((ROOT / "scenarios").glob("*.toml")))
# How far it is is told five times a second.
OFTEN = f"from harness.cli import progress; progress.LINE_S = 0.2; {COMMAND}"
SCENARIO = "scenarios/same_user_spawns_one_client.toml"


def harness(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if not any(name.startswith(("PYTHON", "LC_")) for name in environment):
        return run_harness(*arguments, folder=ROOT, environment=environment)
    done = subprocess.run(
        [*HARNESS, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def processes_of(session: int) -> list[str]:
    """List what still runs in a session; zombies wait for their parent and do not count."""
    left = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue  # It has just ended.
        state, _, _, its_session = rest.split()[:4]
        if its_session == str(session) and state != "Z":
            left.append(name)
    return left


def children_of(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(one) for one in text.split()]


def refused(*arguments: str, **environment: str) -> str:
    done = harness(*arguments, **environment)
    assert done.returncode == 2, done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nope"], "No such command 'nope'"),
        (["run", "--nope"], "No such option: --nope"),
        (["run", "scenarois"], "scenarois: no such file or folder; did you mean scenarios?"),
        (["run", ".github"], "holds no scenario"),
        (
            ["run", "--node", "x", SCENARIO],
            '--node: must be "simulated", "live" or "both", got "x"',
        ),
        (["run", "--seed", "abc", SCENARIO], '--seed: must be a whole number or "random"'),
        (["run", "--seed", "-1", SCENARIO], "seeds must be 0 to"),
        (["run", "--seed", str(2**64), SCENARIO], "seeds must be 0 to"),
        (["run", "--seeds", "0", SCENARIO], "at least one"),
        (["run", "--jobs", "0", SCENARIO], "--jobs: must be at least 1 and at most 256, got 0"),
        (["run", "--system", "a", SCENARIO], 'must be "package.module:attribute", got "a"'),
        (["run", "--system", "nomod:x", SCENARIO], "there is no module nomod; looked in "),
        (["run", "--system", "os:pth", SCENARIO], "os has no pth; did you mean path?"),
        (["run", "--system", "os:path.jion", SCENARIO], "os:path has no jion; did you mean join?"),
        (["run", "--system", "os:path", SCENARIO], "must be a class with async methods"),
        (["run", "--system", "fractions:Fraction", SCENARIO], "has no public async method"),
        (["run", "--report", "README.md", SCENARIO], "README.md: must be a directory"),
        (["run", "--json", "/nonexistent/x", SCENARIO], "--json: must be a file in a folder"),
        (["run", "--json", "tests", SCENARIO], "--json: must be a file in a folder"),
        (["run", "--json", SCENARIO, SCENARIO], f"--json: {SCENARIO} is there already, and is no"),
        (["replay", SCENARIO, "--seed", "0", "--trace", SCENARIO], f"--trace: {SCENARIO} is there"),
        (["run", ""], 'must be a path, got ""'),
        (["schema", "nope"], 'must be "scenario", "profile", "report" or "search", got'),
        (["replay", "nope.toml"], "nope.toml: no such file"),
        (["replay", ""], "got nothing"),
        (["replay", "x" * 100_000], "(100,000 characters): no such file"),
        (["replay", SCENARIO], "Missing option '--seed'"),
        (["replay", "scenarios", "--seed", "0"], "scenarios: is a folder; replay repeats one"),
        (["replay", SCENARIO, "--seed", "0", "--json", "/nonexistent/x"], "--json: must be a file"),
        (["run", "--seeds", "99999999999", SCENARIO], "too many at once, at most 1,000,000"),
    ],
    ids=lambda value: "_".join(value[:3]) if isinstance(value, list) else "",
)
def test_a_bad_argument_is_refused_with_the_way_out(arguments, told, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["harness", *arguments])
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_what_the_system_does_not_have_is_told_all_at_once(tmp_path):
    text = (ROOT / SCENARIO).read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(
        "settings = { spawn = 3 }\n"
        + text.replace('"list_client_accounts"', '"list_client_accuonts"').replace(
            "spawn.before", "spwn.before"
        ),
        encoding="utf-8",
    )
    told = refused("run", str(wrong))
    for word in ("settings.spawn", "list_client_accuonts", 'no client has a "spwn"', "known:"):
        assert word in told


def test_a_pass_is_0_and_json_says_so(tmp_path):
    done = harness("run", SCENARIO, "--json", str(tmp_path / "out.json"), "--seed", "7")
    assert done.returncode == 0
    assert done.stderr.startswith("harness: 1 run and 1 regression, simulated, seed 7")
    _, run = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["runs"]
    assert (run["node"], run["seed"], run["verdict"]) == ("simulated", 7, "passed")


def test_a_failure_is_1_and_says_how_to_repeat_it():
    system = "tests.sensitivity.broken_services:names_lost"
    done = harness("run", "scenarios/slow_create_leaves_list_fast.toml", "--system", system)
    assert done.returncode == 1
    assert "FAILED slow_create_leaves_list_fast [simulated, seed 0]" in done.stdout
    assert f"--seed 0 --system {system}" in done.stdout


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"DOCKER_HOST": "unix:///nonexistent"}, "Docker does not answer"),
        ({"HARNESS_NODE_ENDPOINT": "http://127.0.0.1:9"}, "no status from a Miden node"),
        ({"HARNESS_NODE_ENDPOINT": "nonsense"}, "HARNESS_NODE_ENDPOINT"),
    ],
    ids=["no_docker", "dead_node", "no_endpoint"],
)
def test_a_live_run_without_a_node_says_what_is_missing(environment, told):
    done = harness("run", "--node", "live", SCENARIO, HARNESS_NODE_IMAGE="official", **environment)
    assert done.returncode in (2, 3)
    # Without the native client that is what is missing first, and it is told as clearly.
    output = done.stdout + done.stderr
    assert told in output or "pip install ./serve/miden/native" in output


def test_a_reader_that_goes_away_is_an_interruption_and_not_a_failure():
    with subprocess.Popen(
        [*HARNESS, "run"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        there(running.stdout).close()
        told = there(running.stderr).read()
    assert running.returncode == 130
    assert told == f"harness: {SCENARIOS} runs and 4 regressions, simulated, seed 0\n"


# Loaded first of all, with the command line, and with a command.
@pytest.mark.parametrize("module", ["dataclasses", "typer", "tomllib"])
def test_an_interruption_while_all_is_loaded_is_no_traceback(tmp_path, module):
    interrupts = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    (tmp_path / f"{module}.py").write_text(interrupts, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "harness", "list"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_full_disk_behind_the_output_is_told():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*HARNESS, "list"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("system", "code"), [(None, 3), ("tests.sensitivity.broken_services:names_lost", 1)]
)
def test_a_verdict_stays_what_it_is_if_it_cannot_be_written(system, code):
    asked = ["scenarios/slow_create_leaves_list_fast.toml", "--json", "/dev/full"]
    done = harness("run", *asked, *(["--system", system] if system else []))
    assert done.returncode == code
    assert "No space left on device; free some space" in done.stderr


def test_what_code_under_test_does_to_its_process_is_told_and_never_green(tmp_path):
    (tmp_path / "crashing.py").write_text(
        "import ctypes\nclass Crashing:\n    async def ask(self, user):\n"
        "        ctypes.string_at(0)\n",
        encoding="utf-8",
    )
    (tmp_path / "ask.toml").write_text(
        'claim = "It answers."\nusers = ["alice"]\n[[phase]]\nname = "one"\n'
        '[[phase.do]]\ncall = "ask"\nuser = "alice"\n[check]\n',
        encoding="utf-8",
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", str(ROOT))])
    done = harness(
        "run", str(tmp_path / "ask.toml"), "--system", "crashing:Crashing", PYTHONPATH=path
    )
    assert done.returncode == 3
    assert "ask.toml, seed 0" in done.stderr
    assert "was ended by SIGSEGV" in done.stderr
    assert "crashing.py:4 in ask" in done.stderr


def test_output_that_is_closed_is_told_before_anything_is_run():
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m harness list {SCENARIO} >&-'],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "standard output is closed" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_claim_in_any_script_is_told_in_any_encoding(tmp_path, encoding):
    text = (ROOT / SCENARIO).read_text(encoding="utf-8")
    named = tmp_path / "named.toml"
    named.write_text(text.replace("Ten callers", "\u041a\u043e\u0442 callers"), encoding="utf-8")
    done = harness("list", str(named), PYTHONIOENCODING=f"{encoding}:strict", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "callers of get_client" in done.stdout


def test_a_service_that_ends_the_interpreter_is_never_green(tmp_path):
    system = "import sys\nclass Leaver:\n    async def ask(self, user):\n        sys.exit(0)\n"
    (tmp_path / "leaver.py").write_text(system, encoding="utf-8")
    (tmp_path / "ask.toml").write_text(
        'claim = "It answers."\nusers = ["alice"]\n[[phase]]\nname = "one"\n'
        '[[phase.do]]\ncall = "ask"\nuser = "alice"\n[check]\n',
        encoding="utf-8",
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", str(ROOT))])
    told = ["run", str(tmp_path / "ask.toml"), "--system", "leaver:Leaver"]
    done = harness(*told, PYTHONPATH=path)
    assert done.returncode == 3
    assert "the system under test ended the interpreter" in done.stdout
    assert "--seed 0 --system leaver:Leaver" in done.stdout


def test_a_terminal_without_unicode_gets_its_lines():
    done = harness("run", SCENARIO, PYTHONIOENCODING="ascii", LC_ALL="C", COLUMNS="20")
    assert done.returncode == 0
    assert "PASSED same_user_spawns_one_client" in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_campaign_leaves_nothing_behind(number, code, tmp_path):
    log = tmp_path / "log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-c", OFTEN, "run", SCENARIO, "--seeds", "9000", "--jobs", "2"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            # The runs, and a regression of the scenario.
            wait_until(lambda: " of 9,001 runs: " in log.read_text(), process=running)
        finally:
            running.send_signal(number)
        assert running.wait(timeout=LIMIT_S) == code
    assert "Traceback" not in log.read_text()
    assert "ended after" in log.read_text()
    wait_until(lambda: not processes_of(running.pid))


def test_ctrl_c_stops_no_worker_not_even_one_that_only_starts():
    """A terminal sends it to workers, too; whether to end is for the process that has them."""
    with subprocess.Popen(
        [*HARNESS, "run", SCENARIO, "--seeds", "100", "--jobs", "2", "--quiet"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        while running.poll() is None:
            # The child that runs everything has the workers.
            for worker in [two for one in children_of(running.pid) for two in children_of(one)]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGINT)
            time.sleep(0.01)
        said = there(running.stdout).read()
    assert (running.returncode, "Traceback" in said) == (0, False), said


def test_help_and_version_say_what_there_is():
    assert "Exit codes: 0 all passed" in harness("--help").stdout
    for command in ("run", "list", "replay", "schema"):
        told = harness(command, "--help", COLUMNS="80").stdout
        assert f"For example: harness {command} " in told
        assert max(map(len, told.splitlines())) <= 80
    assert harness("--version").stdout.startswith("harness ")


def test_list_names_claims_and_checks():
    told = harness("list", SCENARIO).stdout
    assert "Ten callers of get_client" in told
    assert "single_spawn" in told


def test_replay_tells_events_locks_and_who_waits_for_whom():
    system = "tests.sensitivity.broken_services:coarse_lock"
    done = harness(
        "replay", "scenarios/slow_create_leaves_list_fast.toml", "--seed", "0", "--system", system
    )
    assert done.returncode == 1
    for word in ("begin create of alice", "lock  CoarseLock._coarse", "waits for", "digest "):
        assert word in done.stdout


@pytest.mark.parametrize("name", ["scenario", "report"])
def test_schemas_are_printed(name):
    assert json.loads(harness("schema", name).stdout)["$schema"].startswith("https://json-schema")
