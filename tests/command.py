"""The command line, run as a test runs it: to its end, with its output as text."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.there import there

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMAND", "HARNESS", "ROOT", "run_command", "run_harness"]

ROOT = Path(__file__).parents[1]
# In an interpreter of its own, for tests that need its start, or its number while it runs.
COMMAND = "from harness.__main__ import main; main()"
HARNESS = (sys.executable, "-c", COMMAND)
_SERVER = (
    f"import sys; sys.path.append({str(ROOT)!r}); from tests.command_server import serve; serve()"
)


def run_harness(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the harness in a folder, see that it is no fault, and return how it ended.

    It is forked from a process that has loaded the harness: so the variables that Python itself
    reads when it starts have no effect here.
    """
    done = run_command("harness", *arguments, folder=folder, environment=environment)
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def run_command(
    *command: str, folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``harness`` or ``pytest`` until it ends; return exit code, output and messages."""
    server = _server()
    with tempfile.TemporaryDirectory(prefix="command-") as name:
        out, err = Path(name, "out"), Path(name, "err")
        out.touch()
        err.touch()
        asked = {
            "command": command,
            "folder": str(folder),
            "environment": {**os.environ, **(environment or {})},
            "out": str(out),
            "err": str(err),
        }
        code = _asked(server, json.dumps(asked))
        return subprocess.CompletedProcess(
            command, code, out.read_text("utf-8"), err.read_text("utf-8")
        )


def _asked(server: subprocess.Popen[str], line: str) -> int:
    told, answers = there(server.stdin), there(server.stdout)
    try:
        told.write(f"{line}\n")
        told.flush()
        return int(answers.readline())
    except BaseException:
        # Such as a test that took too long: the next one shall not get this one's answer.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        _server.cache_clear()
        raise


@cache
def _server() -> subprocess.Popen[str]:
    """Start this process's server; it ends when its stdin is closed, at the latest with us."""
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Without the current folder on the path, which "python -c" adds.
        env={**os.environ, "PYTHONSAFEPATH": "1"},
        start_new_session=True,
    )
    atexit.register(_end, server)
    return server


def _end(server: subprocess.Popen[str]) -> None:
    there(server.stdin).close()
    server.wait()
