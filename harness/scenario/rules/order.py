"""The rules on what the steps of a phase wait for: no scenario may block itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.scenario.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.model import Step
    from harness.scenario.outline import Outline, PhasePlace

    # A moment of a step ("begins", "parks" or "ends"), and the step's name.
    Moment = tuple[str, str]

__all__ = ["ends_first", "order_mistakes"]


def order_mistakes(outline: Outline) -> Iterator[Mistake]:
    """Find steps that wait for each other in a cycle, and waits for what never comes."""
    for phase in outline.phases:
        steps = _steps(phase)
        waits = [(f"{one.where}.start.when", one.raw.get("start")) for one in phase.steps]
        waits.append((f"{phase.where}.close.when", phase.raw.get("close")))
        for where, start in waits:
            if not isinstance(start, dict) or start.get("when") != "parks":
                continue
            other = steps.get(start["after"]) if isinstance(start.get("after"), str) else None
            if other is not None and other.park is None:
                message = "never parks; give it a park, or wait for"
                yield Mistake(where, f'"{other.name}" {message} "begins" or "ends"')
        yield from _rings(phase, steps)


def ends_first(phase: PhasePlace, step: str, *, before: str) -> bool:
    """Return True if ``step`` has surely ended when ``before``, of the same phase, begins."""
    steps = _steps(phase)
    return ("ends", step) in _reached(("begins", before), steps)


def _steps(phase: PhasePlace) -> dict[str, Step]:
    return {one.name: one.step for one in phase.steps if one.name and one.step}


def _needs(moment: Moment, steps: dict[str, Step]) -> list[Moment]:
    """List what must have come before a moment."""
    when, name = moment
    step = steps.get(name)
    if step is None:
        return []
    if when == "begins":
        start = step.start
        return [(start.when, start.after)] if start and start.after else []
    needs = [("begins", name)]
    # A cancelled caller may leave its park early, so it need not wait for the other step.
    if when == "ends" and step.park is not None and step.cancel is None:
        needs += [("ends", one) for one in step.park.ends_of]
    return needs


def _reached(moment: Moment, steps: dict[str, Step]) -> set[Moment]:
    reached: set[Moment] = set()
    left = [moment]
    while left:
        for need in _needs(left.pop(), steps):
            if need not in reached:
                reached.add(need)
                left.append(need)
    return reached


def _rings(phase: PhasePlace, steps: dict[str, Step]) -> Iterator[Mistake]:
    """Report each cycle of waiting steps once, at its first step in the file."""
    message: set[frozenset[str]] = set()
    for one in phase.steps:
        if one.name is None or one.name not in steps:
            continue
        cycle = _cycle(("begins", one.name), steps) or _cycle(("ends", one.name), steps)
        names = frozenset(name for _, name in cycle)
        # ``references`` reports a step that waits for itself.
        if len(names) < 2 or one.name not in names or names in message:
            continue
        message.add(names)
        *others, last = _sentences(cycle, steps)
        sentences = f"{', '.join(others)} and {last}"
        parked = ("ends", one.name) in cycle and steps[one.name].park is not None
        fix = "let one of them start with the phase"
        if any(when == "begins" and steps[name].start for when, name in cycle):
            fix = 'let the other start when this one "parks"' if parked else fix
        elif parked:
            fix = "let one of them go without a park"
        key = "park.until" if parked else "start.after"
        nobody = "neither" if len(names) == 2 else "none"
        yield Mistake(f"{one.where}.{key}", f"{sentences}, so {nobody} ever would; {fix}")


def _cycle(moment: Moment, steps: dict[str, Step]) -> list[Moment]:
    """Return the cycle that leads from a moment through its needs back to it, or an empty list."""
    came_from: dict[Moment, Moment] = {}
    left = [moment]
    while left:
        at = left.pop()
        for need in _needs(at, steps):
            if need == moment:
                cycle = [at]
                while cycle[-1] != moment:
                    cycle.append(came_from[cycle[-1]])
                return cycle[::-1]
            if need not in came_from:
                came_from[need] = at
                left.append(need)
    return []


def _sentences(cycle: list[Moment], steps: dict[str, Step]) -> Iterator[str]:
    for when, name in cycle:
        step = steps[name]
        if when == "begins" and step.start and step.start.after:
            yield f'"{name}" starts after "{step.start.after}" {step.start.when}'
        elif when == "ends" and step.park:
            ends = [one for one in step.park.ends_of if ("ends", one) in cycle]
            if ends:
                yield f'"{name}" is parked until "{ends[0]}" ends'
