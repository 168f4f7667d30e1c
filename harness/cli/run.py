"""The command ``run``: scenarios carried out, judged and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from harness.backends.port import Limits
from harness.cli.arguments import (
    JsonFile,
    Nodes,
    Once,
    Paths,
    ProfileName,
    Quiet,
    ReportFolder,
    RunJobs,
    Seed,
    Seeds,
    StepsMax,
    System,
    note,
    places,
    profile_of,
    refuse_places,
    seed_of,
    writing,
)
from harness.report.formats.run_terminal import Progress, render_summary
from harness.results.exit_codes import EXIT_CODES
from harness.results.whole_file import write_whole
from harness.results.wording import count
from harness.runs.batch import BOTH, Batch, check_systems, read_scenarios, run_batch
from harness.scenario.reading import has_regressions

if TYPE_CHECKING:
    from pathlib import Path

    from harness.results.runs import RunReport
    from harness.runs.batch import Before

__all__ = ["carried_out", "run"]


def run(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    node: Nodes = "simulated",
    profile: ProfileName = None,
    seed: Seed = "0",
    seeds: Seeds = 1,
    system: System = None,
    report: ReportFolder = None,
    json_file: JsonFile = None,
    jobs: RunJobs = None,
    steps_max: StepsMax = None,
    quiet: Quiet = False,
    once: Once = False,
) -> None:
    """Run scenarios and judge them.

    Simulated, the failures that explore --save has kept of them are repeated first. At the end the
    quick runs of one seed are made again in a new process, to see that the seed decides them.

    For example: harness run scenarios/same_user_spawns_one_client.toml --seeds 100 --report out
    """
    refuse_places(report, json_file)
    batch = Batch(
        scenarios=read_scenarios(places(paths), system=system),
        node=node,
        profile=profile_of(profile),
        seed=seed_of(seed),
        seeds=seeds,
        system=system,
        jobs=jobs,
        limits=Limits(steps_max=steps_max),
    )
    check_systems(batch)
    before = _regressions(batch)
    if not quiet:
        note(_heading(batch, before))
    found = carried_out(batch, before=before, quiet=quiet)
    with writing(found.verdict):
        _write(found, report, json_file)
    if seeds == 1 and not once:
        _make_again(found, batch, quiet=quiet)
    raise typer.Exit(EXIT_CODES[found.verdict])


def _write(found: RunReport, report: Path | None, json_file: Path | None) -> None:
    if report is not None:
        from harness.report.folder import write_run_folder  # noqa: PLC0415 - jinja2 takes its time

        for path in write_run_folder(found, report):
            note(f"wrote {path}")
    if json_file is not None:
        from harness.report.formats.run_json import run_json  # noqa: PLC0415 - seldom needed

        write_whole({json_file: run_json(found)})


def _heading(batch: Batch, before: Before) -> str:
    last = batch.seed + batch.seeds - 1
    which = f"seed {batch.seed}" if batch.seeds == 1 else f"seeds {batch.seed} to {last}"
    more = f" and {count(len(before), 'regression')}" if len(before) else ""
    where = " and ".join(batch.nodes)
    used = "" if batch.profile is None else f", profile {batch.profile.used}"
    return f"harness: {count(batch.total, 'run')}{more}, {where}{used}, {which}"


def _make_again(found: RunReport, batch: Batch, *, quiet: bool) -> None:
    """Tell what a seed does not decide: the verdicts stand, but a replay may come to others."""
    from harness.runs.repeated.made_again import again_line, made_again  # noqa: PLC0415 - takes its time
    from harness.runs.repeated.verifying import verified_lines  # noqa: PLC0415 - as above

    again = made_again(found, batch)
    line = again_line(again, found)
    if line is not None and not quiet:
        note(line)
    for told in verified_lines([one for one in again or () if one.difference is not None]):
        typer.echo(told)


def carried_out(batch: Batch, *, before: Before = (), quiet: bool) -> RunReport:
    """Carry out a batch of runs in sight of the user, and print its summary."""
    progress = Progress(quiet=quiet)
    try:
        found = run_batch(batch, progress, before=before, progress=None if quiet else note)
    finally:
        progress.close()
    if batch.node == BOTH and not quiet:
        from harness.report.text.side_by_side_lines import side_by_side_lines  # noqa: PLC0415 - seldom needed

        for line in side_by_side_lines(found):
            typer.echo(line)
    typer.echo(render_summary(found))
    return found


def _regressions(batch: Batch) -> Before:
    """Return the recorded failures of the scenarios; a real node cannot repeat an order."""
    if batch.node == "live" or not any(has_regressions(one) for one in batch.scenarios):
        return ()
    from harness.search.failures.regression_runs import RegressionRuns  # noqa: PLC0415 - takes its time

    return RegressionRuns(batch.scenarios, system=batch.system)
