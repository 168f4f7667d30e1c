"""The command ``compare``: what got slower or faster between two reports, or two trees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.arguments import JsonFile, Quiet, System, note, refuse_file, seed_of
from harness.errors import BadInput
from harness.results.exit_codes import EXIT_CODES
from harness.results.whole_file import write_whole

if TYPE_CHECKING:
    from harness.results.comparisons import Comparison
    from harness.runs.trees.timing import Terms

__all__ = ["EPILOG", "compare"]

SEEDS_MAX = 1_000
BUDGET_MAX_S = 86_400
ONLY_WITH_RUN = ("PATH", "--seed", "--seeds", "--system", "--budget", "--difference")
EPILOG = """\
\b
What is compared:
* Simulated runs of the same scenario and seed: verdicts, checks and all times in virtual time,
  exactly. Such a difference is real, however small.
* Live runs: a figure is slower or faster only where its two 95 % intervals part.
* With --run, both trees run the scenarios, simulated, and then the CPU seconds of a run are
  measured: both at the same time on the same core, in rounds of fresh processes, until a difference
  of --difference is found or excluded. All that is said of CPU seconds in one comparison is right
  with 95 % confidence: code that did not change is accused in at most 1 of 20. Live runs are not
  made.

\b
Exit codes: 0 nothing got slower or fails now, 1 something did, 2 bad input, 3 something is unknown:
a run that could not be carried out, nothing in common, or too much noise for the time.
"""

Old = Annotated[str, typer.Argument(metavar="OLD", help="What is compared with.")]
New = Annotated[str, typer.Argument(metavar="NEW", help="What is judged.")]
Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH|MODULE:FUNCTION]...",
        help="With --run: scenario files or folders, as they lie in each tree, or coroutine"
        " functions without arguments. Default: the folder scenarios of each.",
        show_default=False,
    ),
]
Run = Annotated[
    bool, typer.Option("--run", help="OLD and NEW are trees of code: run both, and measure.")
]
Seed = Annotated[
    str | None,
    typer.Option(
        metavar="NUMBER|random", help="With --run: the first seed, 0 to 2^64 - 1. Default: 0."
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(metavar="N", help=f"With --run: how many seeds, 1 to {SEEDS_MAX:,}. Default: 1."),
]
Budget = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="With --run: real seconds after which no further round begins. Default: 300.",
    ),
]
DifferenceShare = Annotated[
    float | None,
    typer.Option(
        metavar="PERCENT",
        help="With --run: the smallest difference of CPU seconds that must be found, 1 to 100; one"
        " below a fifth of it counts as none. Default: 5.",
    ),
]
Markdown = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write the comparison into it, for a pull request. Default: none."
    ),
]


def compare(  # noqa: PLR0917 - typer calls it by keyword
    old: Old,
    new: New,
    paths: Paths = None,
    run: Run = False,
    seed: Seed = None,
    seeds: Seeds = None,
    system: System = None,
    budget: Budget = None,
    difference: DifferenceShare = None,
    json_file: JsonFile = None,
    markdown: Markdown = None,
    quiet: Quiet = False,
) -> None:
    """Say what got slower or faster, or fails now.

    OLD and NEW are what harness run --report or --json wrote. With --run they are trees of code:
    folders, or revisions of the git repository of the current folder.

    For example: harness compare before after; harness compare --run main . --seeds 5
    """
    from harness.report.formats.comparison_terminal import (  # noqa: PLC0415 - takes its time
        comparison_terminal,
    )

    refuse_file(json_file, "--json")
    refuse_file(markdown, "--markdown")
    if run:
        from harness.report.comparing.two_trees import compared_trees  # noqa: PLC0415 - as above

        terms = _terms(seed, seeds, system, budget, difference)
        progress = _silent if quiet else note
        found = compared_trees(old, new, list(paths or ()), terms, progress=progress)
    else:
        only_with_run = (paths, seed, seeds, system, budget, difference)
        _refuse_without_run(dict(zip(ONLY_WITH_RUN, only_with_run, strict=True)))
        found = _stored(Path(old), Path(new))
    typer.echo(comparison_terminal(found))
    _write(found, json_file, markdown)
    raise typer.Exit(EXIT_CODES[found.verdict])


def _write(found: Comparison, json_file: Path | None, markdown: Path | None) -> None:
    from harness.report.formats.comparison_json import comparison_json  # noqa: PLC0415 - above
    from harness.report.formats.comparison_markdown import (  # noqa: PLC0415 - above
        comparison_markdown,
    )

    files: dict[Path, str | bytes] = {}
    if json_file is not None:
        files[json_file] = comparison_json(found)
    if markdown is not None:
        files[markdown] = comparison_markdown(found)
    write_whole(files)


def _stored(old: Path, new: Path) -> Comparison:
    from harness.report.comparing.reports import compared_reports  # noqa: PLC0415 - takes its time
    from harness.report.comparing.stored import read_report  # noqa: PLC0415 - as above

    if old.exists() and new.exists() and old.resolve() == new.resolve():
        raise BadInput(f"{old} and {new} are the same report; name an earlier one and a later one")
    return compared_reports(read_report(old), read_report(new))


def _terms(
    seed: str | None,
    seeds: int | None,
    system: str | None,
    budget: float | None,
    difference: float | None,
) -> Terms:
    from harness.runs.trees.timing import Terms  # noqa: PLC0415 - takes its time

    first = seed_of("0" if seed is None else seed)
    count = 1 if seeds is None else seeds
    percent = 5.0 if difference is None else difference
    budget_s = 300.0 if budget is None else budget
    if not 1 <= count <= SEEDS_MAX:
        raise BadInput(f"--seeds: must be 1 to {SEEDS_MAX:,}, got {count}")
    if not 1 <= percent <= 100:
        raise BadInput(f"--difference: must be 1 to 100 percent, got {percent:g}")
    if not 0 < budget_s <= BUDGET_MAX_S:
        raise BadInput(f"--budget: must be over 0 and at most {BUDGET_MAX_S:,} s, got {budget_s:g}")
    return Terms(
        seed=first, seeds=count, system=system, budget_s=budget_s, difference=percent / 100
    )


def _refuse_without_run(given: dict[str, object]) -> None:
    wrong = [name for name, value in given.items() if value not in (None, [])]
    if wrong:
        raise BadInput(
            f"{', '.join(wrong)}: only with --run, which runs two trees of code; without it OLD and"
            " NEW are two reports"
        )


def _silent(_line: str) -> None:
    """Say nothing."""
