"""The command line: its commands, and what it ends with when something goes wrong."""

from __future__ import annotations

import io
import os
import sys
import threading
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from harness.cli.arguments import note
from harness.cli.commands import CommandGroup
from harness.errors import CouldNotRun, HarnessError
from harness.processes.signals import end_on_signals
from harness.results.exit_codes import EXIT_INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["app", "main"]

app = typer.Typer(
    name="harness",
    cls=CommandGroup,
    help=(
        "Test an asyncio service. A scenario file says who does what at once, and what must hold."
        " It runs in virtual time, where one seed decides everything, or on the real clock; and a"
        " search finds an order of events in which it fails.\n\n"
        "To begin with a class Tickets in tickets.py: harness init tickets:Tickets\n\n"
        "Exit codes: 0 all passed, 1 something failed, 2 bad input, 3 something is unknown, such as"
        " a run that could not be carried out, 130 interrupted, 143 terminated."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(asked: bool) -> None:
    if asked:
        from harness.results.machine import versions  # noqa: PLC0415 - seldom needed
        from harness.simulated.loop.core import core_name  # noqa: PLC0415

        typer.echo(f"harness {versions()['mosaic-harness']} (virtual loop: {core_name()})")
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


def main() -> None:
    """Run the command line; errors of the harness become one message and an exit code."""
    # So that "kill" cleans up as Ctrl-C does: temporary folders, containers, worker processes.
    end_on_signals()
    _open_streams()
    # A claim may hold any letter, a terminal may not.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _ending():
            app(prog_name="harness")
    except SystemExit as ended:
        if threading.active_count() > 1:
            from harness.processes.exits import end_past_threads  # noqa: PLC0415 - seldom needed

            end_past_threads(ended.code if isinstance(ended.code, int) else 0, say=note)
        raise


def _open_streams() -> None:
    """Refuse to run for nobody; messages may go nowhere, the verdict may not."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
    if sys.stdout is None:
        note("standard output is closed, so nobody would see a verdict; redirect it to /dev/null")
        raise SystemExit(CouldNotRun.exit_code)


# It ends by "raise SystemExit": the code under test may have put something else for sys.exit().
@contextmanager
def _ending() -> Iterator[None]:
    out = sys.stdout
    try:
        try:
            yield
        finally:
            # Here, not at exit: an output that cannot be written must have a message and a code.
            out.flush()
    except HarnessError as error:
        note(str(error))
        raise SystemExit(error.exit_code) from error
    except ModuleNotFoundError as error:
        note(f"{error}; pip install 'mosaic-harness[live]' brings what live runs need")
        raise SystemExit(CouldNotRun.exit_code) from error
    except BrokenPipeError:
        _fall_silent()
    except SystemExit as error:
        # The command line's library makes a 1 of it, which here says that something failed.
        if isinstance(error.__context__, BrokenPipeError):
            _fall_silent()
        # Of Ctrl-C it makes the right code, but without a word.
        if error.__context__ and isinstance(error.__context__.__context__, KeyboardInterrupt):
            note("interrupted")
        raise
    except OSError as error:
        note(f"{error.filename or 'the system'}: {error.strerror or error}")
        with suppress(OSError):
            out.flush()
            raise SystemExit(CouldNotRun.exit_code) from error
        _drop_output()
        raise SystemExit(CouldNotRun.exit_code) from error
    except KeyboardInterrupt as error:
        note("interrupted")
        raise SystemExit(EXIT_INTERRUPTED) from error
    except Exception as error:
        # Nothing was judged: 1 would say that it was.
        if out.closed:
            note("the code under test has closed standard output, so its verdict is not known")
        else:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(where.filename).name}:{where.lineno}"
            note(f"a fault of the harness: {error!r} at {place}")
        raise SystemExit(CouldNotRun.exit_code) from error


def _fall_silent() -> NoReturn:
    """End without another word: the reader of our output has gone."""
    _drop_output()
    raise SystemExit(EXIT_INTERRUPTED)


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
