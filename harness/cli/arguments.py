"""The arguments that several commands take: their types for typer, and how each is read."""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.choices.randomness import drawn_seed
from harness.errors import BadInput
from harness.results.exit_codes import EXIT_CODES
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.simulated.world.profile import NamedProfile

__all__ = [
    "JsonFile",
    "Node",
    "Nodes",
    "Once",
    "Paths",
    "ProfileName",
    "Quiet",
    "ReportFolder",
    "RunJobs",
    "Seed",
    "Seeds",
    "StepsMax",
    "System",
    "note",
    "places",
    "profile_of",
    "refuse_file",
    "refuse_live",
    "refuse_places",
    "seed_of",
    "writing",
]


def _path(text: str) -> Path:
    """Read a path; an empty text, such as a variable without a value, names no folder."""
    if not text.strip():
        raise BadInput(f'must be a path, got "{text}"; name a file or a folder, or leave it out')
    return Path(text)


Once = Annotated[
    bool,
    typer.Option(
        "--once",
        envvar="HARNESS_ONCE",
        help="Do not make the runs of one seed again in a new process, which shows what the seed"
        " does not decide.",
    ),
]
Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="PATH",
        parser=_path,
        help="Scenario files, or folders of them. Default: the folder scenarios.",
        show_default=False,
    ),
]
Node = Annotated[
    str,
    typer.Option(
        metavar="simulated|live",
        help="simulated: in virtual time, where the seed decides all. live: on the real clock, and"
        " with a real node in a container for a system that needs one.",
    ),
]
Nodes = Annotated[
    str,
    typer.Option(
        metavar="simulated|live|both",
        help="simulated: in virtual time, where the seed decides all. live: on the real clock, and"
        " with a real node in a container for a system that needs one. both: simulated, then live,"
        " side by side.",
    ),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME|FILE",
        help="What simulated latencies are drawn from: live-2-cores, or a file of yours. Default:"
        " nominal.",
    ),
]
Seed = Annotated[
    str,
    typer.Option(
        metavar="NUMBER|random",
        help="The seed, or the first of several, 0 to 2^64 - 1; random draws one and prints it.",
    ),
]
Seeds = Annotated[
    int,
    typer.Option(
        metavar="N", help="How many seeds, from --seed on, at least 1; each is a run of every file."
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:CLASS",
        help="The system under test, as it is imported. Default: what each file names, else the"
        " core of serve.",
    ),
]
ReportFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Write a report into it, as HTML, JSON, JUnit XML and Markdown. Default: none.",
    ),
]
JsonFile = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the results into it. Default: none."),
]
RunJobs = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Processes that share the runs, 1 to 256. Default: 1, or one a core from 64 runs on.",
    ),
]
StepsMax = Annotated[
    int | None,
    typer.Option(
        "--steps-max",
        metavar="N",
        min=1,
        help="Steps that a simulated run may take, from 1; one that takes more is unknown. Default:"
        " the file's own, else 10,000,000, and 2,000,000 in a search.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only failures and the summary.")]


def places(paths: list[Path] | None) -> list[Path]:
    """Return the paths, or the folder of scenarios if there are none.

    Raises:
        BadInput: There is no such folder here.
    """
    if paths:
        return paths
    here = Path("scenarios")
    if not here.is_dir():
        msg = "scenarios: no such folder here; name scenario files or folders"
        raise BadInput(msg)
    return [here]


def profile_of(asked: str | None) -> NamedProfile | None:
    """Read the profile that was asked for; None for the nominal one.

    Raises:
        BadInput: There is none of that name, or it breaks rules.
    """
    if asked is None:
        return None
    from harness.simulated.world.profile_reading import profile_named  # noqa: PLC0415 - seldom needed

    return profile_named(asked)


def seed_of(text: str) -> int:
    """Read a seed, or draw one.

    Raises:
        BadInput: It is neither a whole number nor "random".
    """
    if text == "random":
        return drawn_seed()
    try:
        return int(text)
    except ValueError as error:
        msg = f'--seed: must be a whole number or "random", got "{text}"'
        raise BadInput(msg) from error


@contextmanager
def writing(verdict: Verdict) -> Iterator[None]:
    """Write what has been judged; if it cannot be written, the verdict stays what it was.

    Raises:
        typer.Exit: It cannot be written: 1 for what failed, 3 for all else.
    """
    try:
        yield
    except BadInput as error:
        note(str(error))
        failed = verdict is Verdict.FAILED
        raise typer.Exit(EXIT_CODES[Verdict.FAILED if failed else Verdict.UNKNOWN]) from error


def refuse_places(report: Path | None, json_file: Path | None) -> None:
    """Refuse places that cannot be written before anything is run, not after.

    Raises:
        BadInput: One cannot be written.
    """
    if report is not None:
        from harness.results.whole_file import make_directory  # noqa: PLC0415 - seldom needed

        make_directory(report)
        _lock(report)
    refuse_file(json_file, "--json", begins=b"{")


def _lock(folder: Path) -> None:
    """Keep a folder of a report to this process until it ends.

    Raises:
        BadInput: Another process writes a report into it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise BadInput(
            f"--report: another process writes its report into {folder}; name another folder"
        ) from error
    except OSError:
        # A disk without locks.
        os.close(descriptor)


def refuse_file(path: Path | None, option: str, *, begins: bytes | None = None) -> None:
    """Refuse a place for a file before anything is run.

    Args:
        path: The place; None is none.
        option: How the message names it.
        begins: How a file of this kind begins. An older one is replaced; any other that is there
            already is somebody's work, such as the scenario itself after a slip of the hand.

    Raises:
        BadInput: It is a folder, or in a folder that does not exist, or a file of another kind.
    """
    if path is None:
        return
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"{option}: must be a file in a folder that exists, got {path}")
    if begins is not None and path.is_file() and not _begins(path, begins):
        raise BadInput(
            f"{option}: {path} is there already, and is no file of the kind that would be written,"
            " so it is kept; name another"
        )


def _begins(path: Path, begins: bytes) -> bool:
    """Whether a file is empty, or begins like this."""
    with suppress(OSError), path.open("rb") as file:
        first = file.read(len(begins))
        return first in {b"", begins}
    return False


def refuse_live(node: str, command: str) -> None:
    """Refuse a real node where a command decides the order of events.

    Raises:
        BadInput: The node is not "simulated".
    """
    if node != "simulated":
        raise BadInput(
            f'{command}: --node must be "simulated", got "{node}": a search decides the order of'
            " events, which a real node does not let it; leave --node out, or use harness run"
        )


def note(line: str) -> None:
    """Print a line that is no result, on standard error."""
    print(line, file=sys.stderr)  # noqa: T201
