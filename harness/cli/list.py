"""The command ``list``: what scenarios claim, and what they check."""

from __future__ import annotations

import typer

from harness.cli.arguments import Paths, places
from harness.runs.batch import read_scenarios

__all__ = ["list_scenarios"]


def list_scenarios(paths: Paths = None) -> None:
    """Say what scenarios claim and check.

    For example: harness list scenarios
    """
    for scenario in read_scenarios(places(paths)):
        names = list(dict.fromkeys(check.name for check in scenario.checks["simulated"]))
        typer.echo(f"{scenario.path}\n  {scenario.claim}\n  checks: {', '.join(names)}")
