"""Own the command line: its commands, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli.arguments import (
    JsonFile,
    Node,
    Paths,
    ReportFolder,
    Seed,
    System,
    note,
    places,
    refuse_file,
    refuse_places,
    seed_of,
)
from harness.cli.search_commands import explore, replay_token, verify, write_trace
from harness.errors import BadInput, CouldNotRun, HarnessError
from harness.processes.signals import end_on_signals
from harness.report.formats.run_json import run_json
from harness.report.formats.run_terminal import Progress, render_summary
from harness.report.text.event_list import event_lines
from harness.results.exit_codes import EXIT_CODES, EXIT_INTERRUPTED
from harness.results.whole_file import write_whole
from harness.results.wording import count
from harness.runs.batch import Campaign, read_scenarios, run_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.results.runs import RunReport
    from harness.runs.batch import Before

__all__ = ["app", "main"]

# A failure's token of any version; all else is taken for a file.
TOKEN = re.compile(r"mh\d+-")
# Longer than any path that is meant as one.
PATH_MAX = 1_000

app = typer.Typer(
    name="harness",
    help=(
        "Prove an asyncio service: the same scenario on a simulated node that one seed decides,"
        " and on a real node in a container.\n\n"
        "Exit codes: 0 all passed, 1 something failed, 2 bad input, 3 something could not be run."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
node_app = typer.Typer(
    help="Start and stop a real node by hand; runs use it as long as it is up.",
    no_args_is_help=True,
)
app.add_typer(node_app, name="node")


def _print_version(asked: bool) -> None:
    if asked:
        from harness.results.machine import versions  # noqa: PLC0415 - seldom needed
        from harness.simulated.loop.core import CORE  # noqa: PLC0415

        typer.echo(f"harness {versions()['mosaic-harness']} (virtual loop: {CORE})")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    del version


@app.command()
def run(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    node: Node = "simulated",
    seed: Seed = "0",
    seeds: Annotated[int, typer.Option(help="How many seeds, from --seed on.")] = 1,
    system: System = None,
    report: ReportFolder = None,
    json_file: JsonFile = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes. Default: one, or one a core for many runs.")
    ] = None,
    quiet: Annotated[bool, typer.Option(help="Print failures and the summary only.")] = False,
) -> None:
    """Run scenarios and judge them; simulated, what failed once is replayed first.

    For example: harness run scenarios/same_user_spawns_one_client.toml --seeds 100 --report out
    """
    refuse_places(report, json_file)
    campaign = Campaign(
        scenarios=read_scenarios(places(paths)),
        node=node,
        seed=seed_of(seed),
        seeds=seeds,
        system=system,
        jobs=jobs,
    )
    before = _regressions(campaign)
    if not quiet:
        last = campaign.seed + campaign.seeds - 1
        told = f"seed {campaign.seed}" if seeds == 1 else f"seeds {campaign.seed} to {last}"
        more = f" and {count(len(before), 'regression')}" if len(before) else ""
        note(f"harness: {count(campaign.total, 'run')}{more}, {node}, {told}")
    found = _run(campaign, before=before, quiet=quiet)
    if report is not None:
        from harness.report.folder import write_run_folder  # noqa: PLC0415 - jinja2 takes its time

        for path in write_run_folder(found, report):
            note(f"wrote {path}")
    if json_file is not None:
        write_whole({json_file: run_json(found)})
    raise typer.Exit(EXIT_CODES[found.verdict])


@app.command("list")
def list_scenarios(paths: Paths = None) -> None:
    """List scenarios with what they claim and what they check.

    For example: harness list scenarios
    """
    for scenario in read_scenarios(places(paths)):
        names = list(dict.fromkeys(one.name for one in scenario.checks["simulated"]))
        typer.echo(f"{scenario.path}\n  {scenario.claim}\n  checks: {', '.join(names)}")


app.command()(explore)


@app.command()
def replay(  # noqa: PLR0917 - typer calls it by keyword
    what: Annotated[
        str, typer.Argument(metavar="TOKEN|FILE", help="A failure's token, or a scenario file.")
    ],
    seed: Annotated[
        str | None, typer.Option(help="The seed to repeat; for a scenario file.")
    ] = None,
    node: Node = "simulated",
    system: System = None,
    trace: Annotated[
        Path | None, typer.Option(help="File for a trace that Perfetto opens.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Repeat a failure that was found, or one run of a scenario, and print what happened.

    For example: harness replay scenarios/two_users_create_accounts.toml --seed 42
    """
    refuse_places(None, json_file)
    refuse_file(trace, "--trace")
    path = Path(what)
    if not what.strip():
        raise BadInput("replay: must be a failure's token or a scenario file, got nothing")
    if TOKEN.match(what):
        if seed is not None:
            raise BadInput(f"replay: a token brings its own seed, got --seed {seed}; leave it out")
        raise typer.Exit(
            replay_token(what, node=node, system=system, trace=trace, json_file=json_file)
        )
    if len(what) <= PATH_MAX and path.is_dir():
        msg = f"{path}: is a folder; replay repeats one scenario, name its file"
        raise BadInput(msg)
    if len(what) > PATH_MAX or not path.exists():
        told = what if len(what) <= PATH_MAX else f"{what[:24]}... ({len(what):,} characters)"
        raise BadInput(f"replay: {told}: no such file, and no token, which begins with mh1-")
    if seed is None:
        raise BadInput(f"replay: Missing option '--seed' for {path}: say which run of it")
    _replay_seed(path, seed, node=node, system=system, trace=trace, json_file=json_file)


def _replay_seed(
    path: Path,
    seed: str,
    *,
    node: str,
    system: str | None,
    trace: Path | None,
    json_file: Path | None,
) -> None:
    campaign = Campaign(
        scenarios=read_scenarios([path]), node=node, seed=seed_of(seed), system=system
    )
    found = _run(campaign, quiet=False)
    result = found.runs[0]
    if result.history is not None:
        typer.echo("\n".join(event_lines(result.history)))
    if result.digest is not None:
        typer.echo(f"digest {result.digest}")
    if json_file is not None:
        write_whole({json_file: run_json(found)})
    if trace is not None and result.history is not None:
        write_trace(trace, result.history)
    raise typer.Exit(EXIT_CODES[found.verdict])


app.command()(verify)


@app.command()
def schema(
    of: Annotated[str, typer.Argument(help='"scenario" or "report".')] = "scenario",
) -> None:
    """Print the JSON Schema of scenario files or of reports.

    For example: harness schema report
    """
    from harness.results.schema import report_schema  # noqa: PLC0415 - seldom needed
    from harness.scenario.schema import scenario_schema  # noqa: PLC0415 - as above

    schemas = {"scenario": scenario_schema, "report": report_schema}
    if of not in schemas:
        msg = f'schema: must be "scenario" or "report", got "{of}"'
        raise BadInput(msg)
    typer.echo(json.dumps(schemas[of](), indent=2))


@node_app.command("up")
def node_up() -> None:
    """Start a node in a container and print its endpoint."""
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    state = shared_node.node_up(progress=note)
    typer.echo(state.endpoint)


@node_app.command("down")
def node_down() -> None:
    """Stop the node that "up" started."""
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    typer.echo("stopped" if shared_node.node_down() else "no node was up")


@node_app.command("status")
def node_status() -> None:
    """Print the endpoint of the node that is up, and what the node says of itself."""
    from harness.miden.node import shared_node  # noqa: PLC0415 - needs Docker's packages

    state = shared_node.node_status()
    if state is None:
        typer.echo('no node is up; start one with "harness node up"')
        raise typer.Exit(3)
    typer.echo(
        f"{state.endpoint} (miden-node {state.version}, block {state.chain_tip},"
        f" genesis {state.genesis_commitment}, used by {len(state.user_pids)} processes)"
    )


def main() -> None:
    """Run the command line; errors of the harness become one message and an exit code."""
    # So that "kill" cleans up as Ctrl-C does: temporary folders, containers, worker processes.
    end_on_signals()
    # A claim may hold any letter, a terminal may not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with _told():
        app(prog_name="harness")


@contextmanager
def _told() -> Iterator[None]:
    try:
        try:
            yield
        finally:
            # Here, and not at exit: what cannot be written is told, and has an exit code.
            sys.stdout.flush()
    except HarnessError as error:
        note(str(error))
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        note(f"{error}; pip install 'mosaic-harness[live]' brings what live runs need")
        sys.exit(CouldNotRun.exit_code)
    except BrokenPipeError:
        _fall_silent()
    except SystemExit as error:
        # The command line's library makes a 1 of it, which here says that something failed.
        if isinstance(error.__context__, BrokenPipeError):
            _fall_silent()
        raise
    except OSError as error:
        note(f"{error.filename or 'the system'}: {error.strerror or error}")
        with suppress(OSError):
            sys.stdout.flush()
            sys.exit(CouldNotRun.exit_code)
        _drop_output()
        sys.exit(CouldNotRun.exit_code)
    except KeyboardInterrupt:
        note("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - nothing was judged: 1 would say that it was
        where = traceback.extract_tb(error.__traceback__)[-1]
        note(f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}")
        sys.exit(CouldNotRun.exit_code)


def _fall_silent() -> NoReturn:
    """End: whoever read our output has gone; nothing more is to be said, not even at exit."""
    _drop_output()
    sys.exit(EXIT_INTERRUPTED)


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _regressions(campaign: Campaign) -> Before:
    """What failed once in the scenarios that are to be run; a real node cannot be told an order."""
    if campaign.node != "simulated":
        return ()
    from harness.search.failures.regression_runs import RegressionRuns  # noqa: PLC0415 - takes its time

    return RegressionRuns(campaign.scenarios, system=campaign.system)


def _run(campaign: Campaign, *, before: Before = (), quiet: bool) -> RunReport:
    progress = Progress(quiet=quiet)
    try:
        found = run_campaign(campaign, progress, before=before, progress=None if quiet else note)
    finally:
        progress.close()
    typer.echo(render_summary(found))
    return found
