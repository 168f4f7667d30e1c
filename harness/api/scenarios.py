"""Scenario files by a call: one run, a search, the comparison of two runs."""

from __future__ import annotations

from contextlib import closing
from os import fspath
from typing import TYPE_CHECKING, Any

from harness.api.arguments import check_seed, check_steps, in_python_terms
from harness.api.exploration import check_search
from harness.backends.port import Limits
from harness.choices.lateness import LATE_MS_DEFAULT, checked_late_ms
from harness.errors import BadInput, CouldNotRun, NotDeterministic
from harness.history.records import NodeKind
from harness.results.health.health_checks import check_allowed
from harness.results.verdict import Verdict
from harness.runs.batch import Batch
from harness.runs.opening import open_backend
from harness.runs.repeated.verifying import verified_lines, verify_batch
from harness.runs.runner import run_one
from harness.runs.scenarios import scenario_at, system_of
from harness.search.pieces.merging import merged
from harness.search.pieces.piece import run_piece
from harness.search.pieces.plan import SearchPlan
from harness.search.terms import SearchTerms
from harness.simulated.world.profile_reading import profile_named

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike

    from harness.results.explorations import Exploration
    from harness.results.runs import RunResult
    from harness.search.pieces.piece import PieceFound

__all__ = ["explore_scenario", "run_scenario", "verify_scenario"]


def run_scenario(
    path: str | PathLike[str],
    *,
    seed: int = 0,
    node: str = "simulated",
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
    steps_max: int | None = None,
    watchdog: bool = True,
) -> RunResult:
    """Run a scenario file once and judge what happened.

    Args:
        path: The file.
        seed: 0 to 2^64 - 1; decides a simulated run.
        node: "simulated" or "live".
        system: The system under test, "package.module:attribute"; None for the file's own.
        profile: What simulated latencies are drawn from: a name or a file, as --profile takes it.
        steps_max: Steps that a simulated run may take; None for the file's own, or 10,000,000.
        watchdog: End a step that does not return: see docs/recipes/limits.md.

    Returns:
        The result. ``verdict`` is PASSED, FAILED or UNKNOWN, ``checks`` say what each found.

    Raises:
        BadInput: The file or an argument breaks a rule; the message has each mistake.
        CouldNotRun: Something that it needs is missing, such as Docker.
    """
    check_seed(seed)
    check_steps(steps_max)
    limits = Limits(steps_max=steps_max, watchdog=watchdog)
    scenario = scenario_at(fspath(path), system=system)
    needs_node = system_of(scenario, system).needs_node
    figures = profile_named(profile)
    if figures is not None and node == NodeKind.LIVE:
        raise BadInput(
            f"profile: is for simulated runs, got {profile} for a live one; leave it out"
        )
    with closing(
        open_backend(node, needs_node=needs_node, profile=figures, limits=limits)
    ) as backend:
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
    cancel: bool = False,
    allow: Collection[str] = (),
    late_ms: float = LATE_MS_DEFAULT,
    first: bool = True,
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
    steps_max: int | None = None,
    watchdog: bool = True,
) -> Exploration:
    """Search the orders of a scenario file for one that fails, in this process.

    Args:
        path: The file.
        runs: How many runs; 200 if neither this nor ``seconds`` is given.
        seconds: Real seconds after which no further run begins; one under way is cut.
        strategy: How orders are chosen, as ``harness explore --strategy``.
        seed: 0 to 2^64 - 1; decides what is drawn.
        adversarial: Also take orders that asyncio never produces.
        chaos: Let faults and cancellations be choices, too.
        cancel: Also cancel each task at each of its awaits, once and twice.
        allow: Health checks that may fail, such as "one_order"; the file may name some, too.
        late_ms: How late a busy loop may be, 0 to 60,000 ms; see ``explore``.
        first: Stop at the first failure.
        system: The system under test, "package.module:attribute"; None for the file's own.
        profile: What latencies are drawn from: a name or a file, as --profile takes it.
        steps_max: Steps that a run may take; None for the file's own, or 2,000,000.
        watchdog: End a step that does not return: see docs/recipes/limits.md.

    Returns:
        What was found. ``verdict`` is FAILED with a failure; ``failures`` hold causes and tokens.

    Raises:
        BadInput: The file or an argument breaks a rule.
    """
    check_search(runs=runs, seconds=seconds, strategy=strategy, seed=seed)
    check_steps(steps_max)
    figures = profile_named(profile)
    scenario = scenario_at(fspath(path), system=system)
    check_allowed(allow, where="allow")
    modes: dict[str, Any] = {"adversarial": adversarial, "chaos": chaos, "cancel": cancel}
    modes |= {"system": system, "profile": figures, "steps_max": steps_max, "watchdog": watchdog}
    modes["late_ms"] = checked_late_ms(late_ms, where="late_ms")
    terms = SearchTerms(strategy=strategy, seed=seed, allow=tuple(allow), **modes)
    with in_python_terms():
        plan = SearchPlan(
            scenarios=(scenario,), terms=terms, runs=runs, seconds=seconds, first=first, jobs=1
        )
    return merged(plan, scenario, pieces=_found(plan))


def _found(plan: SearchPlan) -> list[PieceFound]:
    pieces = []
    for piece in plan.pieces():
        pieces.append(run_piece(piece))
        if plan.first and pieces[-1].exploration.failures:
            break
    return pieces


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
