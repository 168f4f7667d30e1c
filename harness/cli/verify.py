"""The command ``verify``: each run made in two processes, to see that its seed decides it."""

from __future__ import annotations

import typer

from harness.backends.port import Limits
from harness.cli.arguments import (
    Paths,
    ProfileName,
    RunJobs,
    Seed,
    Seeds,
    StepsMax,
    System,
    note,
    places,
    profile_of,
    seed_of,
)
from harness.results.verdict import Verdict
from harness.results.wording import count
from harness.runs.batch import Batch, read_scenarios

__all__ = ["verify"]


def verify(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    seed: Seed = "0",
    seeds: Seeds = 10,
    profile: ProfileName = None,
    system: System = None,
    jobs: RunJobs = None,
    steps_max: StepsMax = None,
) -> None:
    """Check that the seed decides everything.

    Each run is made twice, simulated, and both must do the same to the last step. The second one
    begins a second later, in another process, in which sets of texts have another order.

    For example: harness verify scenarios --seeds 100
    """
    from harness.cli.progress import counted  # noqa: PLC0415 - takes its time
    from harness.runs.repeated.verifying import verified_lines, verify_batch  # noqa: PLC0415 - takes its time

    batch = Batch(
        scenarios=read_scenarios(places(paths), system=system),
        seed=seed_of(seed),
        seeds=seeds,
        profile=profile_of(profile),
        system=system,
        jobs=jobs,
        limits=Limits(steps_max=steps_max),
    )
    last = batch.seed + batch.seeds - 1
    note(f"harness: verifying {count(batch.total, 'run')}, seeds {batch.seed} to {last}")
    found = list(counted(verify_batch(batch), batch.total))
    for line in verified_lines(found):
        typer.echo(line)
    different = sum(run.verdict is Verdict.FAILED for run in found)
    unknown = sum(run.verdict is Verdict.UNKNOWN for run in found)
    equal = len(found) - different - unknown
    summary = f"{count(len(found), 'run')} made twice: {equal:,} equal"
    summary += f", {different:,} different" if different else ""
    summary += f", {unknown:,} unknown" if unknown else ""
    typer.echo(f"{summary}; seeds {batch.seed} to {last}")
    raise typer.Exit(1 if different else 3 if unknown else 0)
