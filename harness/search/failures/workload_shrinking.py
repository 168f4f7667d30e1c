"""The shrinking of a scenario's workload: fewer users, steps and copies, the schedule kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.scenario.model import Phase, Scenario, Step

__all__ = ["RUNS_MAX", "reduced", "shrink_workload"]

# Runs that the workload of one failure may cost.
RUNS_MAX = 40


def shrink_workload(
    scenario: Scenario, fails: Callable[[tuple[str, ...]], bool], *, runs_max: int = RUNS_MAX
) -> tuple[tuple[str, ...], int]:
    """Leave out what is not needed for a failure; return what was left out, and the runs it took.

    Whole phases from the last, then users, then steps, then copies (all but two, then all but one).
    ``fails`` runs the scenario without what it is given, and says whether it fails alike.
    """
    out: tuple[str, ...] = ()
    runs = 0
    for one in _candidates(scenario):
        if runs >= runs_max:
            break
        tried = (*out, one)
        if _without(scenario, tried) is None or one in out:
            continue
        runs += 1
        if fails(tried):
            out = tried
    return out, runs


def reduced(scenario: Scenario, out: tuple[str, ...]) -> Scenario:
    """Return the scenario without what is left out: "phase P", "user U", "step S", "times S N".

    The checks stay: one that finds nothing to judge does not fail.
    """
    return _without(scenario, out) or scenario


def _candidates(scenario: Scenario) -> Iterator[str]:
    yield from (f"phase {phase.name}" for phase in reversed(scenario.phase))
    yield from (f"user {user.name}" for user in reversed(scenario.users))
    steps = [step for phase in reversed(scenario.phase) for step in reversed(phase.do)]
    yield from (f"step {step.name}" for step in steps)
    for step in steps:
        yield from (f"times {step.name} {count}" for count in (1, 2) if step.times > count)


def _without(scenario: Scenario, out: tuple[str, ...]) -> Scenario | None:
    """Leave things out; None if nothing would be left, or what is left would refer to nothing."""
    gone = set(out)
    times = dict(one[len("times ") :].rsplit(" ", 1) for one in out if one.startswith("times "))
    users = [user for user in scenario.users if f"user {user.name}" not in gone]
    names = {user.name for user in users}
    phases: list[Phase] = []
    for phase in scenario.phase:
        if f"phase {phase.name}" in gone:
            continue
        steps = [
            # A token may ask for more than there is: nothing is added here.
            step.model_copy(
                update={"times": min(int(times.get(step.name, step.times)), step.times)}
            )
            for step in phase.do
            if f"step {step.name}" not in gone and _has_user(step, names)
        ]
        left = {step.name for step in steps}
        if any(not _refers_to(step, left) for step in steps):
            return None
        if phase.close is not None and phase.close.after not in {None, *left}:
            return None
        if steps or phase.restart or phase.node is not None:
            phases.append(phase.model_copy(update={"do": steps}))
    if not any(phase.do for phase in phases) or (scenario.users and not users):
        return None
    return scenario.model_copy(update={"users": users, "phase": phases})


def _has_user(step: Step, names: set[str]) -> bool:
    if step.user is None or step.user == "each":
        return True
    wanted = [step.user] if isinstance(step.user, str) else step.user
    return all(name in names for name in wanted)


def _refers_to(step: Step, steps: set[str]) -> bool:
    """Return True if what the step waits for is there; the results that it needs the run shows."""
    if step.start is not None and step.start.after not in {None, *steps}:
        return False
    return step.park is None or steps.issuperset(step.park.ends_of)
