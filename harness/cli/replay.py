"""The command ``replay``: a recorded failure, or one run of a scenario, repeated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.backends.port import Limits
from harness.cli.arguments import (
    JsonFile,
    Node,
    ProfileName,
    StepsMax,
    System,
    note,
    profile_of,
    refuse_file,
    refuse_live,
    refuse_places,
    seed_of,
    writing,
)
from harness.cli.run import carried_out
from harness.errors import BadInput
from harness.report.formats.run_json import run_json
from harness.report.text.event_list import event_lines
from harness.results.exit_codes import EXIT_CODES
from harness.results.verdict import Verdict
from harness.results.whole_file import write_whole
from harness.runs.batch import BOTH, Batch, read_scenarios

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.schedule import Schedule

__all__ = ["replay"]

# A failure's token of any version; everything else is taken for a file.
TOKEN = re.compile(r"mh\d+-")
# Longer than any text that is meant as a path.
PATH_MAX = 1_000

RunSeed = Annotated[
    str | None,
    typer.Option(
        "--seed",
        metavar="NUMBER",
        help="The seed of the run, 0 to 2^64 - 1. A file needs it, a token has its own.",
    ),
]
Trace = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write a trace into it, which https://ui.perfetto.dev opens. Default: none.",
    ),
]


def replay(  # noqa: PLR0917 - typer calls it by keyword
    what: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN|FILE",
            help="The token of a failure, which explore has printed, or a scenario file.",
        ),
    ],
    seed: RunSeed = None,
    node: Node = "simulated",
    profile: ProfileName = None,
    system: System = None,
    steps_max: StepsMax = None,
    trace: Trace = None,
    json_file: JsonFile = None,
) -> None:
    """Repeat a failure, or one run.

    Of a failure it prints the schedule and the cause, of a run all that happened.

    For example: harness replay scenarios/two_users_create_accounts.toml --seed 42
    """
    refuse_places(None, json_file)
    refuse_file(trace, "--trace", begins=b"\n")  # as the first packet of a trace begins
    where: dict[str, Any] = {"node": node, "profile": profile, "system": system}
    where["steps_max"] = steps_max
    written: dict[str, Any] = {"trace": trace, "json_file": json_file}
    path = Path(what)
    if not what.strip():
        raise BadInput("replay: must be a failure's token or a scenario file, got nothing")
    if TOKEN.match(what):
        if seed is not None:
            raise BadInput(f"replay: a token brings its own seed, got --seed {seed}; leave it out")
        raise typer.Exit(_replay_token(what, **where, **written))
    if len(what) <= PATH_MAX and path.is_dir():
        msg = f"{path}: is a folder; replay repeats one scenario, name its file"
        raise BadInput(msg)
    if len(what) > PATH_MAX or not path.exists():
        got = what if len(what) <= PATH_MAX else f"{what[:24]}... ({len(what):,} characters)"
        raise BadInput(f"replay: {got}: no such file, and no token, which begins with mh1-")
    if seed is None:
        raise BadInput(f"replay: Missing option '--seed' for {path}: say which run of it")
    raise typer.Exit(_replay_seed(path, seed, **where, **written))


def _replay_seed(
    path: Path,
    seed: str,
    *,
    node: str,
    profile: str | None,
    system: str | None,
    steps_max: int | None,
    trace: Path | None,
    json_file: Path | None,
) -> int:
    if node == BOTH:
        raise BadInput('--node: must be "simulated" or "live", got "both": replay repeats one run')
    batch = Batch(
        scenarios=read_scenarios([path], system=system),
        node=node,
        seed=seed_of(seed),
        profile=profile_of(profile),
        system=system,
        limits=Limits(steps_max=steps_max),
    )
    found = carried_out(batch, quiet=False)
    result = found.runs[0]
    if result.history is not None:
        typer.echo("\n".join(event_lines(result.history)))
    if result.digest is not None:
        typer.echo(f"digest {result.digest}")
    with writing(found.verdict):
        if json_file is not None:
            write_whole({json_file: run_json(found)})
        if trace is not None and result.history is not None:
            _write_trace(trace, result.history)
    return EXIT_CODES[found.verdict]


def _replay_token(
    text: str,
    *,
    node: str,
    profile: str | None,
    system: str | None,
    steps_max: int | None,
    trace: Path | None,
    json_file: Path | None,
) -> int:
    from harness.report.text.replay_lines import replay_lines  # noqa: PLC0415 - seldom needed
    from harness.search.failures import replaying  # noqa: PLC0415 - takes its time
    from harness.search.failures.token import Token  # noqa: PLC0415 - as above

    refuse_live(node, "replay of a token")
    if json_file is not None:
        raise BadInput(f"replay: --json is for scenario files, got {json_file} with a token")
    token = Token.read(text)
    subject = replaying.subject_of_token(token, system=system, profile=profile, steps_max=steps_max)
    found = replaying.replay(token, subject)
    for line in replay_lines(found.result):
        typer.echo(line)
    if trace is not None:
        result = found.attempt.result
        with writing(
            Verdict.FAILED if found.exit_code == EXIT_CODES[Verdict.FAILED] else Verdict.UNKNOWN
        ):
            _write_trace(trace, None if result is None else result.history, found.schedule)
    return found.exit_code


def _write_trace(path: Path, history: History | None, schedule: Schedule | None = None) -> None:
    from harness.report.trace.perfetto_trace import write_perfetto  # noqa: PLC0415 - seldom needed

    write_perfetto(path, history, schedule)
    note(f"wrote {path}; open it at https://ui.perfetto.dev")
