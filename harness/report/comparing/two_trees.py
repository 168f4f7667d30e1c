"""Two trees compared: what their runs report, and what a run costs in each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.processes.temporary import temporary_folder
from harness.report.comparing.reports import compared_reports
from harness.report.comparing.stored import StoredReport, StoredRun, report_in
from harness.results.verdict import Verdict
from harness.runs.trees.race import Race
from harness.runs.trees.timing import measured
from harness.runs.trees.tree import find_trees, reports_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.results.comparisons import Comparison, Measured
    from harness.runs.trees.timing import Terms
    from harness.runs.trees.tree import Tree

    Trees = tuple[Tree, Tree]
    Reports = tuple[StoredReport, StoredReport]
    Tell = Callable[[str], None]

__all__ = ["compared_trees"]

PLAIN = {"HARNESS_PURE_PYTHON": "1"}
_NOTHING = {"schema_version": 1, "runs": []}


def compared_trees(
    old: str, new: str, asked: list[str], terms: Terms, *, progress: Tell
) -> Comparison:
    """Run what is asked for in both trees, and compare.

    Args:
        old: What is compared with: a folder, or a revision of git.
        new: What is judged.
        asked: Scenario files and folders, relative to each tree, and functions, "module:name".
        terms: The seeds, and how to measure.
        progress: Is told how far it is.

    Raises:
        BadInput: A tree cannot be used, or its scenarios have mistakes.
        CouldNotRun: What runs in a tree has ended, or could not be run.
    """
    functions = [one for one in asked if _is_function(one)]
    paths = [one for one in asked if not _is_function(one)] or ([] if functions else ["scenarios"])
    with temporary_folder("compare") as scratch:
        field = _Field(find_trees(old, new, scratch), scratch, terms)
        for tree in field.trees:
            whose = "its own harness" if tree.has_harness else "the harness of this command"
            progress(f"harness: {tree.side} is {tree.name}, with {whose}")
        reports, notes = field.reports(paths), list[str]()
        alike = _alike(reports)
        names = {path: name for name, path in alike}
        targets = [*functions, *names]
        figures: list[Measured] = []
        if targets:
            notes += field.make_ready(targets[0])
            reports = field.with_functions(functions, reports)
            figures = measured(targets, field.race, terms, progress=progress)
        notes += _apart(field.trees, reports, alike)
    named = (replace(one, scenario=names.get(one.scenario, one.scenario)) for one in figures)
    compared = compared_reports(*reports, measured=named)
    return replace(compared, notes=(*notes, *compared.notes))


class _Field:
    """Where two trees run: the folder for what they leave, and what both find around them."""

    def __init__(self, trees: Trees, scratch: Path, terms: Terms) -> None:
        self.trees, self._scratch, self._terms = trees, scratch, terms
        self._environment: dict[str, str] = {}

    def race(self, number: int) -> Race:
        """Start two fresh processes."""
        return Race(self.trees, self._scratch, number=number, **self._environment)

    def reports(self, paths: list[str]) -> Reports:
        """Run the scenarios of both trees."""
        terms, documents = self._terms, [_NOTHING, _NOTHING]
        if paths:
            documents = reports_of(
                self.trees,
                paths,
                self._scratch,
                seed=terms.seed,
                seeds=terms.seeds,
                system=terms.system,
            )
        old, new = (
            report_in(document, where=tree.name, file=f"the report of {tree.name}")
            for tree, document in zip(self.trees, documents, strict=True)
        )
        return old, new

    def make_ready(self, target: str) -> list[str]:
        """Make both run on a core of the same kind: else that would be the difference found.

        Returns:
            What is to be said of it.

        Raises:
            BadInput: They cannot; or nothing of a tree is run by the target, but installed code.
        """
        cores = self._cores(target)
        if _same_kind(cores):
            return []
        self._environment = PLAIN
        names = (tree.name for tree in self.trees)
        told = "; ".join(f"{name}: {core}" for name, core in zip(names, cores, strict=True))
        if not _same_kind(self._cores(target)):
            raise BadInput(
                f"the virtual loop has not the same core in both ({told}), which would be the"
                " difference found; build it in both: python -m pip install -e TREE"
            )
        return [f"both measured on the plain core of the virtual loop, as one has no other: {told}"]

    def _cores(self, target: str) -> list[str]:
        terms = self._terms
        with self.race(0) as race:
            settled = race.both("warm_up", targets=[target], seed=terms.seed, system=terms.system)
        for tree, one in zip(self.trees, settled, strict=True):
            if not one["from_here"]:
                raise BadInput(
                    f"{tree.name}: {target} runs no module of this folder, but what is installed:"
                    " both sides would be the same code; name the folders that hold the modules"
                )
        return [str(one["core"]) for one in race.opened]

    def with_functions(self, functions: list[str], reports: Reports) -> Reports:
        """Run each function with each seed; its runs stand beside those of scenarios."""
        runs: tuple[list[StoredRun], list[StoredRun]] = ([], [])
        if functions:
            with self.race(0) as race:
                for function in functions:
                    answers = race.both(
                        "virtual", target=function, seed=self._terms.seed, seeds=self._terms.seeds
                    )
                    for answer, of_side in zip(answers, runs, strict=True):
                        of_side.extend(_function_runs(function, answer, self._terms))
        old, new = (
            replace(report, runs=(*report.runs, *more))
            for report, more in zip(reports, runs, strict=True)
        )
        return old, new


def _is_function(asked: str) -> bool:
    module, colon, name = asked.partition(":")
    parts = (*module.split("."), name)
    return bool(colon) and all(one.isidentifier() for one in parts)


def _same_kind(cores: list[str]) -> bool:
    return len({core.startswith("compiled") for core in cores}) == 1


def _alike(reports: Reports) -> list[tuple[str, str]]:
    """List name and path of the scenarios that end alike in both, so that their cost compares."""
    ends: list[dict[tuple[str, str], set[tuple[int, Verdict]]]] = [{}, {}]
    for report, found in zip(reports, ends, strict=True):
        for run in filter(_is_file, report.runs):
            found.setdefault((run.scenario, run.path), set()).add((run.seed, run.verdict))
    return [
        name
        for name, verdicts in ends[0].items()
        if ends[1].get(name) == verdicts
        and not any(verdict is Verdict.UNKNOWN for _, verdict in verdicts)
    ]


def _apart(trees: Trees, reports: Reports, alike: list[tuple[str, str]]) -> Iterator[str]:
    """Say what of the scenarios of both was not measured, or is not the same work."""
    names = [{run.scenario for run in report.runs if _is_file(run)} for report in reports]
    apart = sorted((names[0] & names[1]) - {name for name, _ in alike})
    if apart:
        yield f"CPU not compared, since the runs end in another way: {', '.join(apart)}"
    changed = [
        name
        for name, path in alike
        if (trees[0].folder / path).read_bytes() != (trees[1].folder / path).read_bytes()
    ]
    if changed:
        yield f"the scenario file is not the same in both: {', '.join(changed)}"


def _is_file(run: StoredRun) -> bool:
    return run.path.endswith(".toml") and not run.scenario.startswith("regressions/")


def _function_runs(function: str, answer: dict[str, Any], terms: Terms) -> Iterator[StoredRun]:
    for number, virtual_s in enumerate(answer["virtual_s"]):
        yield StoredRun(
            scenario=function,
            path=function,
            node="simulated",
            seed=terms.seed + number,
            verdict=Verdict.PASSED,
            virtual_s=virtual_s,
        )
