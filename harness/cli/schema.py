"""The command ``schema``: the JSON Schema of scenario files and of reports."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from harness.errors import BadInput

__all__ = ["schema"]


def schema(
    of: Annotated[
        str,
        typer.Argument(
            metavar="scenario|profile|report|search",
            help="Of scenario files, of latency profiles, or of what --json writes: run a report,"
            " explore a search.",
        ),
    ] = "scenario",
) -> None:
    """Print a JSON Schema.

    It is for editors that complete scenario files and profiles, and for programs that read reports.

    For example: harness schema report
    """
    from harness.results.schemas.report_schema import report_schema  # noqa: PLC0415 - seldom needed
    from harness.results.schemas.search_schema import search_schema  # noqa: PLC0415 - as above
    from harness.scenario.schema import scenario_schema  # noqa: PLC0415 - as above
    from harness.simulated.world.profile_reading import profile_schema  # noqa: PLC0415 - as above

    schemas = {
        "scenario": scenario_schema,
        "profile": profile_schema,
        "report": report_schema,
        "search": search_schema,
    }
    if of not in schemas:
        msg = f'schema: must be "scenario", "profile", "report" or "search", got "{of}"'
        raise BadInput(msg)
    typer.echo(json.dumps(schemas[of](), indent=2))
