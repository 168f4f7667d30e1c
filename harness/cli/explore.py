"""The command ``explore``: a search for an order of events in which a scenario fails."""

from __future__ import annotations

import os
import time
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.choices.lateness import LATE_MS_DEFAULT, checked_late_ms
from harness.cli.arguments import (
    JsonFile,
    Paths,
    ProfileName,
    Quiet,
    ReportFolder,
    Seed,
    StepsMax,
    System,
    note,
    places,
    profile_of,
    refuse_live,
    refuse_places,
    seed_of,
    writing,
)
from harness.errors import BadInput, CouldNotRun, HarnessError, Terminated
from harness.results.exit_codes import EXIT_CODES, EXIT_INTERRUPTED
from harness.results.health.health_checks import check_allowed
from harness.results.verdict import Verdict
from harness.results.wording import count
from harness.runs.batch import read_scenarios
from harness.search.strategies.portfolio import STRATEGIES
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from harness.cli.progress import SearchProgress
    from harness.results.explorations import ExplorationReport, FoundFailure
    from harness.search.pieces.plan import SearchPlan
    from harness.search.pieces.running import SearchEnd

__all__ = ["EPILOG", "exit_code", "explore"]

ADVICE = "with --resume DIR another time it could be gone on with"
# Told below the options, a strategy a line.
EPILOG = "\n".join(
    ("Strategies:", "", "\b", *(f"* {name}: {does}" for name, does in STRATEGIES.items()))
)

Strategy = Annotated[
    str, typer.Option(metavar="NAME", help="How orders are chosen; the names are listed below.")
]
Adversarial = Annotated[
    bool,
    typer.Option(
        "--adversarial",
        help="Also take orders that asyncio never produces; what fails only in one says so.",
    ),
]
Chaos = Annotated[
    bool,
    typer.Option(
        "--chaos", help="Also choose faults and cancellations, after which all must recover."
    ),
]
Cancel = Annotated[
    bool,
    typer.Option(
        "--cancel",
        help="Also cancel each task at each of its awaits, once and twice: operations, and tasks of"
        " the service itself.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A health check that may fail: one_order, all runs took one order. Default: none.",
        show_default=False,
    ),
]
Late = Annotated[
    float,
    typer.Option(
        "--late",
        metavar="MS",
        help="How late a busy loop may be, 0 to 60,000 ms: what comes from outside that near to one"
        " another may come in one pass, and timers that near may change places.",
    ),
]
Runs = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Runs for each scenario, 1 to 10,000,000. Default: 200, or no limit with --time.",
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--time",
        metavar="SECONDS",
        help="Real seconds for all scenarios together, shared fairly. Default: no limit.",
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(metavar="N", help="Processes that share the runs, 1 to 256. Default: one a core."),
]
First = Annotated[
    bool, typer.Option("--first", help="End the search of a scenario at its first failure.")
]
Shard = Annotated[
    str,
    typer.Option(
        help="Do only the K-th of N shares, K from 1 to N, to split a search over machines.",
        metavar="K/N",
    ),
]
Resume = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FOLDER",
        help="Keep a journal in it: if interrupted, the same command goes on with the search."
        " Given again, it names journals of other shards, which are united. Default: none.",
        show_default=False,
    ),
]
Save = Annotated[
    bool,
    typer.Option(
        "--save", help='Save failures into the folder "regressions" beside their scenarios.'
    ),
]
Regressions = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help='Save failures into it, and replay those in it first. Default: "regressions" beside'
        " the scenarios, where only --save saves.",
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A Dask scheduler, as tcp://host:port, whose workers share the runs. Default: none.",
    ),
]
# Known only to be refused with the reason.
HiddenNode = Annotated[str, typer.Option("--node", hidden=True)]


def explore(  # noqa: PLR0917 - typer calls it by keyword
    paths: Paths = None,
    strategy: Strategy = "portfolio",
    adversarial: Adversarial = False,
    chaos: Chaos = False,
    cancel: Cancel = False,
    allow: Allow = None,
    late_ms: Late = LATE_MS_DEFAULT,
    runs: Runs = None,
    seconds: Seconds = None,
    seed: Seed = "0",
    profile: ProfileName = None,
    jobs: Jobs = None,
    first: First = False,
    shard: Shard = "1/1",
    resume: Resume = None,
    save: Save = False,
    regressions: Regressions = None,
    steps_max: StepsMax = None,
    dask: Dask = None,
    report: ReportFolder = None,
    json_file: JsonFile = None,
    node: HiddenNode = "simulated",
    system: System = None,
    quiet: Quiet = False,
) -> None:
    """Search for an order of events that fails.

    A failure is made as short as can be, and printed with a token, which harness replay repeats.

    For example: harness explore scenarios/two_users_create_accounts.toml --runs 2000
    """
    from harness.search.pieces.plan import SearchPlan  # noqa: PLC0415 - takes its time

    refuse_live(node, "explore")
    refuse_places(report, json_file)
    how = _how(strategy, adversarial=adversarial, chaos=chaos, cancel=cancel, allow=allow or [])
    how |= {"late_ms": checked_late_ms(late_ms, where="--late"), "steps_max": steps_max}
    plan = SearchPlan(
        scenarios=read_scenarios(places(paths), system=system),
        terms=SearchTerms(seed=seed_of(seed), system=system, profile=profile_of(profile), **how),
        runs=runs,
        seconds=seconds,
        first=first,
        jobs=jobs,
        shard=_shard(shard),
    )
    _refuse_folders(plan, regressions, save=save)
    search = _Search(plan, resume=resume or [], regressions=regressions, dask=dask, quiet=quiet)
    end = search.run()
    with writing(end.report.verdict):
        _write(end.report, report, json_file)
        _save(end.report, plan, regressions, save=save)
    raise typer.Exit(exit_code(end, resumable=bool(resume)) or search.unknown)


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

    @property
    def unknown(self) -> int:
        """The exit code of what is not known, beside what was found."""
        return EXIT_CODES[Verdict.UNKNOWN] if self.not_replayed else 0

    def run(self) -> SearchEnd:
        """Search, and print what was found."""
        from harness.cli.progress import SearchProgress, heading, report_lines, summary  # noqa: PLC0415 - as above
        from harness.search.pieces.dask_cluster import dask_work  # noqa: PLC0415 - as above
        from harness.search.pieces.journal import Journal  # noqa: PLC0415 - as above
        from harness.search.pieces.running import run_search  # noqa: PLC0415 - takes its time

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
                seed=self._plan.terms.seed,
                took_s=took_s,
                runs_before=end.runs_before,
            )
        )
        return end

    def _replay_regressions(self, progress: SearchProgress) -> list[tuple[str, FoundFailure]]:
        from harness.search.failures.regressions import regressions_of, replay_regression  # noqa: PLC0415 - takes its time

        plan = self._plan
        corpus = regressions_of(plan.scenarios, folder=self._regressions)
        if self._regressions is not None and not corpus:
            progress.message(f"{self._regressions}: holds no regression of these to replay")
        failures = []
        for one in corpus:
            try:
                failure = replay_regression(one, system=plan.terms.system)
            except CouldNotRun as error:
                self.not_replayed += 1
                progress.message(str(error))
                continue
            if failure is not None:
                failures.append((str(one.scenario), failure))
        replayed = len(corpus) - self.not_replayed
        if replayed and not self._quiet:
            failed = f"{len(failures):,} failed" if failures else "all pass"
            progress.message(f"{count(replayed, 'regression')} replayed, {failed}")
        return failures


def _how(strategy: str, *, allow: list[str], **modes: bool) -> dict[str, Any]:
    check_allowed(allow, where="--allow")
    return {"strategy": strategy, "allow": tuple(allow), **modes}


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


def _save(found: ExplorationReport, plan: SearchPlan, folder: Path | None, *, save: bool) -> None:
    if not save and folder is None:
        return
    from harness.search.failures.regressions import save_regression  # noqa: PLC0415 - takes its time

    by_path = {one.path: one for one in plan.scenarios}
    for one in found.explorations:
        for failure in one.failures:
            if failure.found_by.startswith("regression "):
                continue
            how = f"{plan.terms.command}: run {failure.runs_to_find}, by {failure.found_by}"
            path = save_regression(failure, by_path[one.path], folder=folder, found=how)
            if path is not None:
                note(f"saved {os.path.relpath(path)}")


def exit_code(end: SearchEnd, *, resumable: bool) -> int:
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
