"""The command ``list``: what scenarios claim, and what they check."""

from __future__ import annotations

import typer

from harness.cli.arguments import Paths, ProfileName, places, profile_of
from harness.runs.batch import read_scenarios

__all__ = ["list_scenarios"]


def list_scenarios(paths: Paths = None, profile: ProfileName = None) -> None:
    """Say what scenarios claim and check.

    With --profile, also what that profile is, and which checks judge its latencies.

    For example: harness list scenarios
    """
    chosen = profile_of(profile)
    scenarios = read_scenarios(places(paths))
    if profile is not None:
        from harness.report.text.profile_lines import profile_lines  # noqa: PLC0415 - seldom needed

        for line in profile_lines(chosen):
            typer.echo(line)
    for scenario in scenarios:
        names = list(dict.fromkeys(check.name for check in scenario.checks["simulated"]))
        typer.echo(f"{scenario.path}\n  {scenario.claim}\n  checks: {', '.join(names)}")
        timed = {check.name: None for check in scenario.checks["simulated"] if check.kind.timed}
        if profile is not None and timed:
            typer.echo(f"  of these rest on the profile: {', '.join(timed)}")
