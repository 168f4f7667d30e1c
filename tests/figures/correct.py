"""How many correct programs a search accuses: our own, mended ones, and users of public code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import explore
from harness.errors import FailureFound, HarnessError
from tests.figures.figure import ROOT, Figure, Options
from tests.figures.pairs import own_environment
from tests.sensitivity.correct.corpus import CORRECT, MENDED, RELIES_ON_ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    Program = Callable[[], Coroutine[Any, Any, None]]

__all__ = ["PUBLIC", "RUNS", "Found", "accused", "searched", "written"]

RUNS = 2_000
PROGRAMS_MIN = 200
# A search takes some seconds, on a busy machine a minute.
HANGS_S = 600
WAYS: dict[str, dict[str, Any]] = {
    "in production order": {},
    "with cancellations": {"cancel": True},
    "adversarial": {"adversarial": True},
}
PUBLIC = Path(__file__).with_name("public_programs")


@dataclass(slots=True, kw_only=True)
class Found:
    """What searches found; each that went wrong is named, with its first line."""

    programs: int = 0
    searches: int = 0
    accused: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def add(self, other: Found) -> None:
        """Add what other searches found."""
        self.programs += other.programs
        self.searches += other.searches
        self.accused += other.accused
        self.hung += other.hung
        self.unknown += other.unknown


def accused(_options: Options) -> Figure:
    """Search each program in three ways; name those that fail, though nothing is wrong with them.

    Programs of which the order of ready tasks is part are not searched with orders that asyncio
    never takes.
    """
    found = searched({**CORRECT, **MENDED}, relies_on_order=RELIES_ON_ORDER)
    found.add(_searched_in_an_environment_of_its_own())
    value = (
        f"{found.programs} programs, {found.searches} searches: {len(found.accused)} accuse,"
        f" {len(found.hung)} hang, {len(found.unknown)} unknown"
    )
    wrong = [*found.accused, *found.hung, *found.unknown]
    return Figure(
        value="; ".join([value, *wrong]), met=not wrong and found.programs >= PROGRAMS_MIN
    )


def searched(
    programs: Mapping[str, Program], *, relies_on_order: Mapping[str, str], runs: int = RUNS
) -> Found:
    """Search programs, and say on stderr how far it has come."""
    found = Found(programs=len(programs))
    for number, (name, program) in enumerate(programs.items(), start=1):
        print(f"figures: {number} of {len(programs)}: {name}", file=sys.stderr, flush=True)
        for way, options in WAYS.items():
            if way != "adversarial" or name not in relies_on_order:
                found.searches += 1
                _search(program, f"{name} {way}", found, runs=runs, options=options)
    return found


def _search(
    program: Program, name: str, found: Found, *, runs: int, options: dict[str, Any]
) -> None:
    begin_s = time.monotonic()
    told = ""
    try:
        explore(program, runs=runs, seconds=HANGS_S, allow=["one_order"], **options)
    except FailureFound as error:
        told = _told(name, error)
        found.accused.append(told)
    except HarnessError as error:
        told = _told(name, error)
        found.unknown.append(told)
    if time.monotonic() - begin_s >= HANGS_S:
        told = f"{name}: not done in {HANGS_S} s"
        found.hung.append(told)
    if told:
        print(f"figures: {told}", file=sys.stderr, flush=True)


def _told(name: str, error: HarnessError) -> str:
    lines = [line.strip() for line in str(error).splitlines()[1:]]
    return f"{name}: {next((line for line in lines if not line.startswith('pct:')), '')}"


def _searched_in_an_environment_of_its_own() -> Found:
    """Search the programs that use public libraries, which are installed for that."""
    with tempfile.TemporaryDirectory(prefix="figures-") as folder:
        place, pinned = Path(folder, "place"), PUBLIC / "requirements.txt"
        python = own_environment(place, str(ROOT), "-r", str(pinned), where=Path(folder, "venv"))
        # The tests of this tree, but the harness that was installed.
        (place / "tests").symlink_to(ROOT / "tests")
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
        for name in ("PYTHONPATH", "PYTHONSAFEPATH"):
            environment.pop(name, None)
        command = [python, "-m", "tests.figures.public_programs", str(RUNS)]
        done = subprocess.run(
            command, cwd=place, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
    return Found(**json.loads(done.stdout))


def written(found: Found) -> str:
    """Write what was found for another process."""
    return json.dumps(asdict(found))
