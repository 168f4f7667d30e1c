"""The rules on names by which parts of a scenario refer to others: steps, users, phases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from harness.scenario.mistakes import Mistake
from harness.scenario.users import EVERYONE
from harness.scenario.words import hinted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.scenario.check_table import PlacedCheck
    from harness.scenario.outline import Outline, PhasePlace, StepPlace

__all__ = ["reference_mistakes"]


def reference_mistakes(outline: Outline, checks: list[PlacedCheck]) -> Iterator[Mistake]:
    """Find every name that is unknown or ambiguous."""
    yield from _twice(outline)
    for phase in outline.phases:
        yield from _close_mistakes(phase, outline)
        for step in phase.steps:
            yield from _user_mistakes(step.raw, step.where, outline, instead="for several calls")
            for table, key in (("start", "after"), ("park", "until")):
                inner = step.raw.get(table)
                if isinstance(inner, dict):
                    for where, name in _each(inner.get(key), f"{step.where}.{table}.{key}"):
                        yield from _neighbour_mistakes(
                            name, where, step=step, phase=phase, outline=outline
                        )
    for number, fault in outline.faults:
        where = f"fault[{number}]"
        yield from _user_mistakes(fault, where, outline, instead="to strike several times")
        yield from _unknown(
            fault.get("phase"), outline.phase_by_name, where=f"{where}.phase", what="phase"
        )
    for check in checks:
        yield from _check_mistakes(check, outline)


def _twice(outline: Outline) -> Iterator[Mistake]:
    """Find names shared by two phases or two steps."""
    for number, phase in enumerate(outline.phases):
        if phase.name in {one.name for one in outline.phases[:number]} - {None}:
            yield Mistake(
                f"{phase.where}.name", f'"{phase.name}" stands twice; every name must be another'
            )
    seen: Counter[str] = Counter()
    for step in (step for phase in outline.phases for step in phase.steps):
        if step.name is None:
            continue
        seen[step.name] += 1
        if seen[step.name] > 1:
            named = "" if "id" in step.raw else " (without an id, a step is named after its call)"
            message = f'"{step.name}" names two steps{named}; give each an id of its own'
            yield Mistake(f"{step.where}.id", message)


def _each(given: Any, where: str) -> list[tuple[str, Any]]:
    """Pair what stands at a place with it: one value, or each item of a list."""
    if not isinstance(given, list):
        return [(where, given)]
    return [(f"{where}[{number}]", one) for number, one in enumerate(given)]


def _user_mistakes(
    table: dict[str, Any], place: str, outline: Outline, *, instead: str
) -> Iterator[Mistake]:
    """Find users whom a step or a fault names, and who are unknown, or named twice."""
    given = table.get("user")
    where = f"{place}.user"
    for at, one in _each(given, where):
        if one != EVERYONE:
            yield from _unknown(one, outline.users, where=at, what="user")
        elif at != where:
            yield Mistake(at, f'"{EVERYONE}" stands alone: write user = "{EVERYONE}"')
        elif outline.users == ():
            yield Mistake(at, f'"{EVERYONE}" needs users; add users = [...] at the top')
    names = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    for name, count in Counter(names).items():
        if count > 1:
            yield Mistake(where, f'"{name}" stands {count} times; {instead} write times')


def _close_mistakes(phase: PhasePlace, outline: Outline) -> Iterator[Mistake]:
    """Find a close that waits for no step of its phase."""
    close = phase.raw.get("close")
    if isinstance(close, dict) and phase.steps:
        name, where = close.get("after"), f"{phase.where}.close.after"
        yield from _neighbour_mistakes(name, where, step=None, phase=phase, outline=outline)


def _neighbour_mistakes(
    name: Any, where: str, *, step: StepPlace | None, phase: PhasePlace, outline: Outline
) -> Iterator[Mistake]:
    """Find a wait of a step, or of a close, whose name is not another step of the phase."""
    if not isinstance(name, str):
        return
    own = None if step is None else step.name
    if name == own:
        yield Mistake(where, f'"{name}" is this step itself; it can wait only for another')
        return
    others = [one.name for one in phase.steps if one.name not in (None, own)]
    if name not in others and name in outline.steps:
        other = outline.phases[_position(outline, name)]
        yield Mistake(
            where, f'"{name}" stands in the phase "{other.name}"; only steps of one phase can meet'
        )
        return
    known = [one for one in others if one]
    what = "step of this phase" if step is None else "other step of this phase"
    yield from _unknown(name, known, where=where, what=what)


def _position(outline: Outline, step: str) -> int:
    return next(
        number
        for number, phase in enumerate(outline.phases)
        if step in {one.name for one in phase.steps}
    )


def _check_mistakes(check: PlacedCheck, outline: Outline) -> Iterator[Mistake]:
    known: dict[str, Collection[str] | None] = {
        "step": outline.steps,
        "phase": outline.phase_by_name,
        "user": outline.users,
    }
    parameters = check.check.parameters
    for key, field in type(parameters).model_fields.items():
        extra = field.json_schema_extra
        what = extra.get("names") if isinstance(extra, dict) else None
        if not isinstance(what, str):
            continue
        given = getattr(parameters, key)
        for one in given if isinstance(given, list) else [given]:
            yield from _unknown(one, known[what], where=check.at(key), what=what)


def _unknown(
    name: Any, known: Collection[str] | None, *, where: str, what: str
) -> Iterator[Mistake]:
    """Find a name that is not among ``known``, which is None if the names are wrong."""
    if known is None or not isinstance(name, str) or name in known:
        return
    hint = hinted(name, known, instead="known here")
    yield Mistake(where, f'no {what} is named "{name}"; {hint}')
