"""A child that runs code under test: its end is told, whatever that is, and its verdict is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.there import there
from tests.waiting import LIMIT_S, wait_until

ROOT = Path(__file__).parents[3]
BEGIN = """
import os, signal, sys, threading, time
from harness.processes import apart
apart.END_WITHIN_S = 0.2
apart.go_on_in_a_child()
apart.doing("the import of shop")
"""


def begun(body, **options):
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + body],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def ended(body, **options):
    running = begun(body, **options)
    out, err = running.communicate(timeout=LIMIT_S)
    return running.returncode, out, err


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("os._exit(0)", "ended itself, with exit code 0"),
        ("os._exit(7)", "ended itself, with exit code 7"),
        ("os.execv(sys.executable, [sys.executable, '-c', ''])", "with exit code 0"),
        ("sys.exit(0)", "ended itself, with exit code 0"),
        (
            "os.kill(os.getpid(), signal.SIGKILL)",
            "was ended by SIGKILL, perhaps for want of memory",
        ),
        ("signal.alarm(1); time.sleep(60)", "was ended by SIGALRM"),
        (
            "import ctypes\ndef op(): ctypes.string_at(0)\nop()",
            "SIGSEGV before there was a verdict, at ",
        ),
        ("os.abort()", "was ended by SIGABRT"),
    ],
)
def test_a_child_that_ends_without_a_verdict_is_unknown_with_how_and_where(body, told):
    code, _, err = ended(body)
    assert code == 3
    assert err.startswith("UNKNOWN the import of shop\n")
    assert told in err


@pytest.mark.parametrize(("code", "ends_with"), [("0", 0), ("1", 1), ("None", 0), ("'a text'", 1)])
@pytest.mark.parametrize(
    "after",
    [
        "os._exit(5)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "threading.Thread(target=time.sleep, args=(600,)).start()",
    ],
    ids=["exits", "is killed", "never ends"],
)
def test_a_verdict_that_is_out_is_kept_whatever_comes_after(code, ends_with, after):
    found, out, _ = ended(f"print('passed', flush=True)\napart.verdict_is_out({code})\n{after}")
    assert (found, out) == (ends_with, "passed\n")


def test_a_child_has_standard_input_and_the_debugger():
    running = begun("breakpoint()\napart.verdict_is_out(0)", stdin=subprocess.PIPE)
    out, _ = running.communicate("p 6 * 7\nc\n", timeout=LIMIT_S)
    assert "42" in out
    assert running.returncode == 0


LOOP = "print('begun', flush=True)\n{}\nwhile True: time.sleep(0.01)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("to", [os.kill, os.killpg], ids=["to the parent", "to both"])
def test_a_signal_reaches_the_child_once(number, to):
    count = "come = []\napart.signals.on_signal(lambda: (come.append(1), apart._signal_came()))"
    loop = "try:\n print('begun', flush=True)\n while True: time.sleep(0.01)"
    end = " time.sleep(0.5)\n print(len(come), flush=True); apart.verdict_is_out(9)"
    running = begun(f"{count}\n{loop}\nexcept BaseException:\n{end}", start_new_session=True)
    assert there(running.stdout).readline() == "begun\n"
    to(running.pid, number)
    out, _ = running.communicate(timeout=LIMIT_S)
    assert (running.returncode, out) == (9, "1\n")


@pytest.mark.parametrize("deaf", ["", "for n in (2, 15): signal.signal(n, lambda *_: None)"])
def test_a_child_that_does_not_listen_is_killed_at_the_third_signal(deaf):
    running = begun(LOOP.format(deaf), start_new_session=True)
    assert there(running.stdout).readline() == "begun\n"
    while running.poll() is None:
        running.send_signal(signal.SIGTERM)
    # One that comes when all handlers are gone ends it by itself: a shell says 143 of both.
    assert running.returncode in {143, -signal.SIGTERM}


def test_a_child_ends_with_its_parent():
    running = begun(f"print(os.getpid(), flush=True)\n{LOOP.format('')}")
    child = int(there(running.stdout).readline())
    running.kill()
    running.communicate(timeout=LIMIT_S)
    wait_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in state_of(child))


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_the_temporary_folder_of_a_child_that_died_is_swept(tmp_path):
    body = (
        "from pathlib import Path\nfrom harness.processes.temporary import temporary_folder\n"
        "with temporary_folder('storage') as made:\n (made / 'block').touch()\n"
        " print(made, flush=True)\n os._exit(0)"
    )
    code, out, _ = ended(body, env={"TMPDIR": str(tmp_path)})
    assert code == 3
    assert out.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_a_terminal_cannot_show_is_told_all_the_same():
    code, _, err = ended("apart.doing('\\ud800' + 'x' * 1000)\nos._exit(0)")
    assert code == 3
    assert err.startswith("UNKNOWN xxx")


STEPPED = """
import sys, threading
from harness.processes.apart import can_fork
can = [can_fork()]
sys.settrace(lambda *_: None)
can.append(can_fork())
sys.settrace(None)
over = threading.Event()
thread = threading.Thread(target=over.wait)
thread.start()
can.append(can_fork())
over.set()
print(can)
"""


def test_a_debugger_or_another_thread_keeps_all_in_one_process():
    done = subprocess.run(
        [sys.executable, "-c", STEPPED],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "[True, False, False]\n"
