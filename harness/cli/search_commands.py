"""Own the commands that search: explore, the replay of a token, verify."""

from __future__ import annotations

import os
import time
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import search_options as options  # noqa: TC001 - typer reads the annotations
from harness.cli.arguments import (
    JsonFile,
    Paths,
    ReportFolder,
    Seed,
    System,
    note,
    places,
    refuse_places,
    seed_of,
)
from harness.errors import BadInput, CouldNotRun, HarnessError, Terminated
from harness.results.exit_codes import EXIT_CODES, EXIT_INTERRUPTED
from harness.results.verdict import Verdict
from harness.results.wording import count
from harness.runs.batch import Campaign, read_scenarios

if TYPE_CHECKING:
    from pathlib import Path

    from harness.cli.progress import SearchProgress
    from harness.history.records import History
    from harness.results.explorations import ExplorationReport, FoundFailure
    from harness.results.schedule import Schedule
    from harness.search.pieces.plan import SearchPlan
    from harness.search.pieces.state import SearchEnd

__all__ = ["explore", "replay_token", "verify", "write_trace"]

ADVICE = "with --resume DIR another time it could be gone on with"


def explore(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    strategy: options.Strategy = "portfolio",
    adversarial: options.Adversarial = False,
    chaos: options.Chaos = False,
    runs: options.Runs = None,
    seconds: options.Seconds = None,
    seed: Seed = "0",
    jobs: options.Jobs = None,
    first: options.First = False,
    shard: options.Shard = "1/1",
    resume: options.Resume = None,
    save: options.Save = False,
    regressions: options.Regressions = None,
    dask: options.Dask = None,
    report: ReportFolder = None,
    json_file: JsonFile = None,
    node: options.HiddenNode = "simulated",
    system: System = None,
    quiet: options.Quiet = False,
) -> None:
    """Search the orders of events of scenarios for one in which they fail.

    For example: harness explore scenarios/two_users_create_accounts.toml --runs 2000
    """
    from harness.search.pieces.plan import SearchPlan  # noqa: PLC0415 - takes its time

    _refuse_live(node, "explore")
    refuse_places(report, json_file)
    plan = SearchPlan(
        scenarios=read_scenarios(places(paths)),
        strategy=strategy,
        seed=seed_of(seed),
        runs=runs,
        seconds=seconds,
        adversarial=adversarial,
        chaos=chaos,
        first=first,
        system=system,
        jobs=jobs,
        shard=_shard(shard),
    )
    _refuse_folders(plan, regressions, save=save)
    search = _Search(plan, resume=resume or [], regressions=regressions, dask=dask, quiet=quiet)
    end = search.run()
    _write(end.report, report, json_file)
    if save or regressions is not None:
        _save(end.report, plan, regressions)
    code = _exit_code(end, resumable=bool(resume))
    raise typer.Exit(code or (EXIT_CODES[Verdict.UNKNOWN] if search.not_replayed else 0))


class _Search:
    """One invocation of explore, from the first line that it prints to the last."""

    def __init__(
        self,
        plan: SearchPlan,
        *,
        resume: list[Path],
        regressions: Path | None,
        dask: str | None,
        quiet: bool,
    ) -> None:
        self._plan = plan
        self._resume = resume
        self._regressions = regressions
        self._dask = dask
        self._quiet = quiet
        self.not_replayed = 0

    def run(self) -> SearchEnd:
        """Search, and print what was found."""
        from harness.cli.progress import SearchProgress, heading, report_lines, summary  # noqa: PLC0415 - as above
        from harness.search.pieces.dask_cluster import dask_work  # noqa: PLC0415 - as above
        from harness.search.pieces.journal import Journal  # noqa: PLC0415 - as above
        from harness.search.pieces.state import run_search  # noqa: PLC0415 - takes its time

        begin_s = time.perf_counter()
        journal = Journal(self._resume, self._plan) if self._resume else None
        with closing(journal) if journal is not None else nullcontext():
            work = None if self._dask is None else dask_work(self._dask)
            if not self._quiet:
                note(heading(self._plan))
            for line in journal.notes if journal is not None else ():
                note(f"harness: {line}")
            with closing(SearchProgress(self._plan, quiet=self._quiet)) as progress:
                failures = self._replay_regressions(progress)
                end = run_search(
                    self._plan, progress, journal=journal, failures=failures, work=work
                )
        for line in report_lines(end.report, quiet=self._quiet):
            typer.echo(line)
        took_s = time.perf_counter() - begin_s
        typer.echo(
            summary(
                end.report,
                seed=self._plan.seed,
                took_s=took_s,
                runs_before=end.runs_before,
            )
        )
        return end

    def _replay_regressions(self, progress: SearchProgress) -> list[tuple[str, FoundFailure]]:
        from harness.search.failures.regressions import regressions_of, replay_regression  # noqa: PLC0415 - takes its time

        plan = self._plan
        corpus = regressions_of(plan.scenarios, folder=self._regressions)
        failures = []
        for one in corpus:
            try:
                failure = replay_regression(one, system=plan.system)
            except CouldNotRun as error:
                self.not_replayed += 1
                progress.told(str(error))
                continue
            if failure is not None:
                failures.append((str(one.scenario), failure))
        replayed = len(corpus) - self.not_replayed
        if replayed and not self._quiet:
            failed = f"{len(failures):,} failed" if failures else "all pass"
            progress.told(f"{count(replayed, 'regression')} replayed, {failed}")
        return failures


def replay_token(
    text: str,
    *,
    node: str,
    system: str | None,
    trace: Path | None,
    json_file: Path | None,
) -> int:
    """Repeat the failure of a token, print what happened, and return the exit code."""
    from harness.search.failures.replaying import replay, replayed_lines, subject_of_token  # noqa: PLC0415 - takes its time
    from harness.search.failures.token import Token  # noqa: PLC0415 - as above

    _refuse_live(node, "replay of a token")
    if json_file is not None:
        raise BadInput(f"replay: --json is for scenario files, got {json_file} with a token")
    token = Token.read(text)
    found = replay(token, subject_of_token(token, system=system))
    for line in replayed_lines(found):
        typer.echo(line)
    if trace is not None:
        result = found.attempt.result
        write_trace(trace, None if result is None else result.history, found.schedule)
    return found.exit_code


def verify(
    paths: Paths = None,
    seed: Seed = "0",
    seeds: Annotated[int, typer.Option(help="How many seeds, from --seed on.")] = 10,
    system: System = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes. Default: one, or one a core for many runs.")
    ] = None,
) -> None:
    """Make each run twice, simulated, and compare everything: one seed must decide it all.

    For example: harness verify scenarios --seeds 100
    """
    from harness.runs.verifying import verified_lines, verify_campaign  # noqa: PLC0415 - takes its time

    campaign = Campaign(
        scenarios=read_scenarios(places(paths)),
        seed=seed_of(seed),
        seeds=seeds,
        system=system,
        jobs=jobs,
    )
    last = campaign.seed + campaign.seeds - 1
    note(f"harness: verifying {count(campaign.total, 'run')}, seeds {campaign.seed} to {last}")
    found = list(verify_campaign(campaign))
    for line in verified_lines(found):
        typer.echo(line)
    different = sum(one.verdict is Verdict.FAILED for one in found)
    unknown = sum(one.verdict is Verdict.UNKNOWN for one in found)
    told = f"{count(len(found), 'run')} made twice: {len(found) - different - unknown:,} equal"
    told += f", {different:,} different" if different else ""
    told += f", {unknown:,} unknown" if unknown else ""
    typer.echo(f"{told}; seeds {campaign.seed} to {last}")
    raise typer.Exit(1 if different else 3 if unknown else 0)


def write_trace(path: Path, history: History | None, schedule: Schedule | None = None) -> None:
    """Write a run as a trace that Perfetto opens."""
    from harness.report.trace.perfetto_trace import write_perfetto  # noqa: PLC0415 - seldom needed

    write_perfetto(path, history, schedule)
    note(f"wrote {path}; open it at https://ui.perfetto.dev")


def _refuse_live(node: str, command: str) -> None:
    if node != "simulated":
        raise BadInput(
            f'{command}: --node must be "simulated", got "{node}": a search decides the order of'
            " events, which a real node does not let it; leave --node out, or use harness run"
        )


def _refuse_folders(plan: SearchPlan, folder: Path | None, *, save: bool) -> None:
    from harness.search.failures.regressions import refuse_folders  # noqa: PLC0415 - takes its time

    if save or folder is not None:
        refuse_folders(plan.scenarios, folder=folder)


def _shard(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise BadInput(f'--shard: must be K/N, got "{text}"; the first of three shares is 1/3')
    return int(number), int(of)


def _write(found: ExplorationReport, report: Path | None, json_file: Path | None) -> None:
    if report is None and json_file is None:
        return
    from harness.report.folder import write_search_folder  # noqa: PLC0415 - jinja2 takes its time
    from harness.report.formats.search_json import search_json  # noqa: PLC0415 - as above
    from harness.results.whole_file import write_whole  # noqa: PLC0415 - as above

    if report is not None:
        for path in write_search_folder(found, report):
            note(f"wrote {path}")
    if json_file is not None:
        write_whole({json_file: search_json(found)})


def _save(found: ExplorationReport, plan: SearchPlan, folder: Path | None) -> None:
    from harness.search.failures.regressions import save_regression  # noqa: PLC0415 - takes its time

    by_path = {one.path: one for one in plan.scenarios}
    for one in found.explorations:
        for failure in one.failures:
            if failure.found_by.startswith("regression "):
                continue
            mode = " --adversarial" * plan.adversarial + " --chaos" * plan.chaos
            if plan.system is not None:
                mode += f" --system {plan.system}"
            how = (
                f"harness explore --strategy {plan.strategy}{mode} --seed {plan.seed}:"
                f" run {failure.runs_to_find}, by {failure.found_by}"
            )
            path = save_regression(failure, by_path[one.path], folder=folder, found=how)
            if path is not None:
                note(f"saved {os.path.relpath(path)}")


def _exit_code(end: SearchEnd, *, resumable: bool) -> int:
    """Say what ended the search early, if anything did, and return the exit code."""
    ended = end.ended_by
    if ended is None:
        return EXIT_CODES[end.report.verdict]
    how = "the same command goes on with it" if resumable else ADVICE
    if isinstance(ended, HarnessError):
        kept = "kept" if resumable else "told above"
        found = f"; what was found until then is {kept}; {how}"
        note(f"{ended}{found if not isinstance(ended, BadInput) else ''}")
        return ended.exit_code
    note(f"interrupted; {how}")
    code = ended.code if isinstance(ended, Terminated) else None
    return code if isinstance(code, int) else EXIT_INTERRUPTED
