"""Own the command line: run, list, replay, node, schema; and the exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.campaign import Campaign, Terminated, read_scenarios, run_campaign
from harness.errors import BadInput, CouldNotRun, HarnessError
from harness.randomness import drawn_seed
from harness.report.event_list import event_lines
from harness.report.json_report import write_json
from harness.report.terminal_report import Progress, render_summary
from harness.report.wording import count
from harness.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.result import RunReport

__all__ = ["app", "main"]

EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 3}
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

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
        from harness.report.machine import versions  # noqa: PLC0415 - seldom needed

        typer.echo(f"harness {versions()['mosaic-harness']}")
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


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Scenario files or folders of them. Default: scenarios/.", show_default=False
    ),
]
Node = Annotated[str, typer.Option(help='"simulated" (virtual time) or "live" (a container).')]
Seed = Annotated[
    str, typer.Option(help='The first seed, 0 to 2^64 - 1; or "random", drawn and told.')
]
System = Annotated[
    str | None,
    typer.Option(help='The system under test, "package.module:attribute". Default: serve.'),
]


@app.command()
def run(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    node: Node = "simulated",
    seed: Seed = "0",
    seeds: Annotated[int, typer.Option(help="How many seeds, from --seed on.")] = 1,
    system: System = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder for index.html, report.json, junit.xml, summary.md."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File for the results as JSON.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes. Default: one, or one a core for many runs.")
    ] = None,
    quiet: Annotated[bool, typer.Option(help="Print failures and the summary only.")] = False,
) -> None:
    """Run scenarios and judge them.

    For example: harness run scenarios/same_user_spawns_one_client.toml --seeds 100 --report out
    """
    _refuse_places(report, json_file)
    campaign = Campaign(
        scenarios=read_scenarios(_places(paths)),
        node=node,
        seed=_seed(seed),
        seeds=seeds,
        system=system,
        jobs=jobs,
    )
    if not quiet:
        last = campaign.seed + campaign.seeds - 1
        told = f"seed {campaign.seed}" if seeds == 1 else f"seeds {campaign.seed} to {last}"
        print(f"harness: {count(campaign.total, 'run')}, {node}, {told}", file=sys.stderr)  # noqa: T201
    found = _run(campaign, quiet=quiet)
    if report is not None:
        from harness.report.written import write_reports  # noqa: PLC0415 - jinja2 takes its time

        for path in write_reports(found, report):
            print(f"wrote {path}", file=sys.stderr)  # noqa: T201
    if json_file is not None:
        write_json(found, json_file)
    raise typer.Exit(EXIT_CODES[found.verdict])


@app.command("list")
def list_scenarios(paths: Paths = None) -> None:
    """List scenarios with what they claim and what they check.

    For example: harness list scenarios
    """
    for scenario in read_scenarios(_places(paths)):
        names = list(dict.fromkeys(one.name for one in scenario.checks["simulated"]))
        typer.echo(f"{scenario.path}\n  {scenario.claim}\n  checks: {', '.join(names)}")


@app.command()
def replay(
    path: Annotated[Path, typer.Argument(help="The scenario file.")],
    seed: Annotated[str, typer.Option(help="The seed to repeat.")],
    node: Node = "simulated",
    system: System = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="File for the result as JSON.")
    ] = None,
) -> None:
    """Repeat one run and print what happened, in order.

    For example: harness replay scenarios/two_users_create_accounts.toml --seed 42
    """
    _refuse_places(None, json_file)
    if path.is_dir():
        msg = f"{path}: is a folder; replay repeats one scenario, name its file"
        raise BadInput(msg)
    campaign = Campaign(
        scenarios=read_scenarios([path]), node=node, seed=_seed(seed), system=system
    )
    found = _run(campaign, quiet=False)
    result = found.runs[0]
    if result.history is not None:
        typer.echo("\n".join(event_lines(result.history)))
    if result.digest is not None:
        typer.echo(f"digest {result.digest}")
    if json_file is not None:
        write_json(found, json_file)
    raise typer.Exit(EXIT_CODES[found.verdict])


@app.command()
def schema(
    of: Annotated[str, typer.Argument(help='"scenario" or "report".')] = "scenario",
) -> None:
    """Print the JSON Schema of scenario files or of reports.

    For example: harness schema report
    """
    from harness.schemas import report_schema, scenario_schema  # noqa: PLC0415 - seldom needed

    schemas = {"scenario": scenario_schema, "report": report_schema}
    if of not in schemas:
        msg = f'schema: must be "scenario" or "report", got "{of}"'
        raise BadInput(msg)
    typer.echo(json.dumps(schemas[of](), indent=2))


@node_app.command("up")
def node_up() -> None:
    """Start a node in a container and print its endpoint."""
    from harness.live import shared_node  # noqa: PLC0415 - needs Docker's packages

    state = shared_node.node_up(progress=_note)
    typer.echo(state.endpoint)


@node_app.command("down")
def node_down() -> None:
    """Stop the node that "up" started."""
    from harness.live import shared_node  # noqa: PLC0415 - needs Docker's packages

    typer.echo("stopped" if shared_node.node_down() else "no node was up")


@node_app.command("status")
def node_status() -> None:
    """Print the endpoint of the node that is up, and what the node says of itself."""
    from harness.live import shared_node  # noqa: PLC0415 - needs Docker's packages

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
    signal.signal(signal.SIGTERM, _terminate)
    # A claim may hold any letter, a terminal may not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with _told():
        app(prog_name="harness")


def _terminate(number: int, _frame: object) -> None:
    raise Terminated(128 + number)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except HarnessError as error:
        _note(str(error))
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        _note(f"{error}; pip install 'mosaic-harness[live]' brings what live runs need")
        sys.exit(CouldNotRun.exit_code)
    except BrokenPipeError:
        _fall_silent()
    except SystemExit as error:
        # The command line's library makes a 1 of it, which here says that something failed.
        if isinstance(error.__context__, BrokenPipeError):
            _fall_silent()
        raise
    except OSError as error:
        _note(f"{error.filename or 'the system'}: {error.strerror or error}")
        sys.exit(CouldNotRun.exit_code)
    except KeyboardInterrupt:
        _note("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - nothing was judged: 1 would say that it was
        where = traceback.extract_tb(error.__traceback__)[-1]
        _note(f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}")
        sys.exit(CouldNotRun.exit_code)


def _fall_silent() -> NoReturn:
    """End: whoever read our output has gone; nothing more is to be said, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(EXIT_INTERRUPTED)


def _refuse_places(report: Path | None, json_file: Path | None) -> None:
    """Refuse places that cannot be written before anything is run, not after."""
    if report is not None:
        from harness.report.whole_file import make_directory  # noqa: PLC0415 - seldom needed

        make_directory(report)
    if json_file is not None and (json_file.is_dir() or not json_file.parent.is_dir()):
        msg = f"--json: must be a file in a folder that exists, got {json_file}"
        raise BadInput(msg)


def _run(campaign: Campaign, *, quiet: bool) -> RunReport:
    progress = Progress(quiet=quiet)
    try:
        found = run_campaign(campaign, progress, progress=None if quiet else _note)
    finally:
        progress.close()
    typer.echo(render_summary(found))
    return found


def _places(paths: list[Path] | None) -> list[Path]:
    if paths:
        return paths
    here = Path("scenarios")
    if not here.is_dir():
        msg = "scenarios: no such folder here; name scenario files or folders"
        raise BadInput(msg)
    return [here]


def _seed(text: str) -> int:
    if text == "random":
        return drawn_seed()
    try:
        return int(text)
    except ValueError as error:
        msg = f'--seed: must be a whole number or "random", got "{text}"'
        raise BadInput(msg) from error


def _note(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201
