"""The command ``init``: a scenario file for a class, to begin with."""

from __future__ import annotations

import os
import re
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from harness.cli.arguments import note, refuse_file
from harness.errors import BadInput

__all__ = ["init"]


def init(
    system: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:CLASS",
            help="The class, as it is imported here: package.module:Class.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File to write, which ends in .toml. Default: the name of the class, in this"
            " folder.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the file if it is there.")
    ] = False,
) -> None:
    """Write a scenario file for a class.

    In it three users call all async methods of the class at once. The calls are tried first, in
    simulated runs, so that the file fits the class; and each line says what it does.

    For example: harness init tickets:Tickets
    """
    from harness.drafts.drafting import drafted  # noqa: PLC0415 - takes its time
    from harness.results.whole_file import write_whole  # noqa: PLC0415 - as above

    path = _file_of(system) if output is None else output
    refuse_file(path, "--output")
    if path.suffix != ".toml":
        raise BadInput(f'--output: must end in .toml, got "{path}"')
    if os.path.lexists(path) and not force:
        raise BadInput(
            f"{path}: is there already; name another with --output, or overwrite it with --force"
        )
    note(f"harness: trying the methods of {system} in simulated runs")
    found = drafted(system, path=str(path))
    write_whole({path: found.text})
    note(f"wrote {path}")
    for remark in found.remarks:
        note(f"  {remark}")
    typer.echo(f"next: harness run {quote(str(path))}\n      harness explore {quote(str(path))}")


def _file_of(system: str) -> Path:
    """Name a file after a class, as Python names modules."""
    name = system.rpartition(":")[2].rpartition(".")[2]
    return Path(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() + ".toml")
