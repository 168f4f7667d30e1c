"""Scenario files by a call: one run, a search, the comparison of two runs."""

from __future__ import annotations

from contextlib import closing
from os import fspath
from typing import TYPE_CHECKING

from harness.api.arguments import check_seed, in_python_terms
from harness.api.exploration import check_search
from harness.errors import BadInput, CouldNotRun, NotDeterministic
from harness.history.records import NodeKind
from harness.results.verdict import Verdict
from harness.runs.batch import Batch
from harness.runs.opening import open_backend
from harness.runs.runner import run_one
from harness.runs.scenarios import scenario_at, system_of
from harness.runs.verifying import verified_lines, verify_batch
from harness.search.pieces.merging import merged
from harness.search.pieces.piece import run_piece
from harness.search.pieces.plan import SearchPlan
from harness.search.terms import SearchTerms
from harness.simulated.world.profile_reading import profile_named

if TYPE_CHECKING:
    from os import PathLike

    from harness.results.explorations import Exploration
    from harness.results.runs import RunResult

__all__ = ["explore_scenario", "run_scenario", "verify_scenario"]


def run_scenario(
    path: str | PathLike[str],
    *,
    seed: int = 0,
    node: str = "simulated",
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
) -> RunResult:
    """Run a scenario file once and judge what happened.

    Args:
        path: The file.
        seed: 0 to 2^64 - 1; decides a simulated run.
        node: "simulated" or "live".
        system: The system under test, "package.module:attribute"; None for the file's own.
        profile: What simulated latencies are drawn from: a name or a file, as --profile takes it.

    Returns:
        The result. ``verdict`` is PASSED, FAILED or UNKNOWN, ``checks`` say what each found.

    Raises:
        BadInput: The file or an argument breaks a rule; the message has each mistake.
        CouldNotRun: Something that it needs is missing, such as Docker.
    """
    check_seed(seed)
    scenario = scenario_at(fspath(path), system=system)
    needs_node = system_of(scenario, system).needs_node
    figures = profile_named(profile)
    if figures is not None and node == NodeKind.LIVE:
        raise BadInput(
            f"profile: is for simulated runs, got {profile} for a live one; leave it out"
        )
    with closing(open_backend(node, needs_node=needs_node, profile=figures)) as backend:
        return run_one(scenario, backend, system=system, seed=seed)


def explore_scenario(
    path: str | PathLike[str],
    *,
    runs: int | None = None,
    seconds: float | None = None,
    strategy: str = "portfolio",
    seed: int = 0,
    adversarial: bool = False,
    chaos: bool = False,
    first: bool = True,
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
) -> Exploration:
    """Search the orders of a scenario file for one that fails, in this process.

    Args:
        path: The file.
        runs: How many runs; 200 if neither this nor ``seconds`` is given.
        seconds: Real seconds after which no further run begins.
        strategy: How orders are chosen, as ``harness explore --strategy``.
        seed: 0 to 2^64 - 1; decides what is drawn.
        adversarial: Also take orders that asyncio never produces.
        chaos: Let faults and cancellations be choices, too.
        first: Stop at the first failure.
        system: The system under test, "package.module:attribute"; None for the file's own.
        profile: What latencies are drawn from: a name or a file, as --profile takes it.

    Returns:
        What was found. ``verdict`` is FAILED with a failure; ``failures`` hold causes and tokens.

    Raises:
        BadInput: The file or an argument breaks a rule.
    """
    check_search(runs=runs, seconds=seconds, strategy=strategy, seed=seed)
    figures = profile_named(profile)
    scenario = scenario_at(fspath(path), system=system)
    modes = {"adversarial": adversarial, "chaos": chaos}
    terms = SearchTerms(strategy=strategy, seed=seed, **modes, system=system, profile=figures)
    with in_python_terms():
        plan = SearchPlan(
            scenarios=(scenario,), terms=terms, runs=runs, seconds=seconds, first=first, jobs=1
        )
    pieces = []
    for piece in plan.pieces():
        pieces.append(run_piece(piece))
        if first and pieces[-1].exploration.failures:
            break
    return merged(plan, scenario, pieces=pieces)


def verify_scenario(
    path: str | PathLike[str],
    *,
    seed: int = 0,
    seeds: int = 1,
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
) -> None:
    """Run a scenario file twice with each seed, simulated, and compare all that happened.

    Args:
        path: The file.
        seed: The first seed, 0 to 2^64 - 1.
        seeds: How many, from ``seed`` on.
        system: The system under test, "package.module:attribute"; None for the file's own.
        profile: What latencies are drawn from: a name or a file, as --profile takes it.

    Raises:
        NotDeterministic: Two runs of one seed parted; the message shows where.
        CouldNotRun: A run proves nothing, since it could not be carried out.
        BadInput: The file or an argument breaks a rule.
    """
    check_seed(seed)
    with in_python_terms():
        batch = Batch(
            scenarios=(scenario_at(fspath(path), system=system),),
            seed=seed,
            seeds=seeds,
            system=system,
            profile=profile_named(profile),
            jobs=1,
        )
    for found in verify_batch(batch):
        if found.verdict is not Verdict.PASSED:
            error = CouldNotRun if found.verdict is Verdict.UNKNOWN else NotDeterministic
            raise error("\n".join(verified_lines([found])))
