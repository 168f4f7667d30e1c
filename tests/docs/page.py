"""What a page of the documentation shows: files, and commands with what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.command import ROOT
from tests.harness.pytest_plugin.running import INSTALLED, PLUGIN, TERMINAL

if TYPE_CHECKING:
    from pathlib import Path

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"# (\S+\.\w+)\n")
MARK = "\x1e"
COMMANDS = {
    "harness": (sys.executable, "-m", "harness"),
    "pytest": (sys.executable, "-m", "pytest"),
    "python": (sys.executable,),
}


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of code: a file if its first line is a comment with a name, or commands."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        named = FILE_NAME.match(self.text)
        return named[1] if named else None

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The commands, each with what the page says that it prints."""
        parts = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def blocks_of(page: Path) -> list[Block]:
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(language=language, text=text) for language, text in found]


def printed_by(commands: list[str], folder: Path) -> list[str]:
    """Run commands in one shell and in a folder, and return what each printed."""
    functions = [
        f'{name}() {{ {" ".join(f"{word!r}" for word in words)} "$@"; }}'
        for name, words in COMMANDS.items()
    ]
    # The mark must not change the exit code that "echo $?" asks for.
    steps = [f"last=$?; printf '{MARK}'; (exit $last); {command}" for command in commands]
    done = subprocess.run(
        ["bash", "-c", "\n".join([*functions, *steps])],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": "" if INSTALLED else str(ROOT),
            "PYTHONSAFEPATH": "",
            "PYTEST_ADDOPTS": "-p no:cacheprovider -p no:asyncio"
            + ("" if INSTALLED else f" -p {PLUGIN}"),
            **TERMINAL,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout.split(MARK)[1:]


def fits(shown: str, printed: str) -> bool:
    """Compare a page with what was printed: ``…`` is any text, alone on a line any lines.

    How wide columns are does not matter.
    """
    seen = "".join(f"{' '.join(line.split())}\n" for line in printed.splitlines())
    lines = (" ".join(line.split()) for line in shown.splitlines())
    pattern = (
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in lines
    )
    return re.fullmatch("".join(pattern), seen) is not None
