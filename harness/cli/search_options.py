"""Own the options of the command that searches: their types for typer, and their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.search.strategies.portfolio import STRATEGIES

__all__ = [
    "Adversarial",
    "Chaos",
    "Dask",
    "First",
    "HiddenNode",
    "Jobs",
    "Quiet",
    "Regressions",
    "Resume",
    "Runs",
    "Save",
    "Seconds",
    "Shard",
    "Strategy",
]

_LISTED = "; ".join(f"{name}: {does}" for name, does in STRATEGIES.items())

Strategy = Annotated[str, typer.Option(help=f"How orders are chosen. {_LISTED}.")]
Adversarial = Annotated[
    bool,
    typer.Option(
        "--adversarial", help="Also orders that asyncio never produces; finds are labelled so."
    ),
]
Chaos = Annotated[bool, typer.Option("--chaos", help="Faults and cancellations are choices, too.")]
Runs = Annotated[
    int | None, typer.Option(help="Runs for each scenario. Default: 200, unless --time.")
]
Seconds = Annotated[
    float | None,
    typer.Option("--time", help="Seconds for all scenarios together, shared fairly."),
]
Jobs = Annotated[int | None, typer.Option(help="Processes. Default: one a core.")]
First = Annotated[
    bool, typer.Option("--first", help="End a scenario's search at its first failure.")
]
Shard = Annotated[
    str, typer.Option(help="Do the K-th of N shares only; K from 1 to N.", metavar="K/N")
]
Resume = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder for a journal: interrupted and started again, the search goes on."
        " Give it again for further journals, of shards: they are read and united.",
        show_default=False,
    ),
]
Save = Annotated[
    bool, typer.Option("--save", help='Save failures into "regressions" beside their scenarios.')
]
Regressions = Annotated[
    Path | None, typer.Option(help="Folder to save failures into, and to replay from.")
]
Dask = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler whose workers share the work.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print failures and the summary only.")]
# Known only to be refused with the reason.
HiddenNode = Annotated[str, typer.Option("--node", hidden=True)]
