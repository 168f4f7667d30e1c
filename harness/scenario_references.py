"""Own the names that one part of a scenario uses for another: steps, users and phases."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from harness.scenario_mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.checks import ResolvedCheck

__all__ = ["reference_mistakes"]

STEP_KEYS = ("of", "first", "then", "listing")
PHASE_KEYS = ("phase",)


def reference_mistakes(
    data: dict[str, Any], users: list[str], checks: dict[str, tuple[ResolvedCheck, ...]]
) -> list[Mistake]:
    """Find every name that leads nowhere, in data that may be wrong in other ways as well."""
    phases = [one for one in _tables(data.get("phase"))]
    steps = {_name(step) for phase in phases for step in _tables(phase.get("do"))} - {None}
    names = [str(phase.get("name")) for phase in phases]
    mistakes = [
        Mistake(f"phase[{number}].name", f'"{name}" stands twice; names must differ')
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    seen: set[str] = set()
    for number, phase in enumerate(phases):
        mistakes += _phase_mistakes(phase, f"phase[{number}]", users, seen)
    for number, fault in enumerate(_tables(data.get("fault"))):
        where = f"fault[{number}]"
        mistakes += _unknown(fault.get("user"), users, f"{where}.user", "user")
        mistakes += _unknown(fault.get("phase"), names, f"{where}.phase", "phase")
    ids = sorted(str(step) for step in steps)
    mistakes += [
        mistake
        for check in checks["simulated"] + checks["live"]
        for mistake in _check_mistakes(check, ids, names, users)
    ]
    return list(dict.fromkeys(mistakes))


def _phase_mistakes(
    phase: dict[str, Any], where: str, users: list[str], seen: set[str]
) -> Iterator[Mistake]:
    steps = _tables(phase.get("do"))
    ids = [name for name in map(_name, steps) if name is not None]
    for number, step in enumerate(steps):
        place = f"{where}.do[{number}]"
        name = _name(step)
        if name in seen:
            yield Mistake(f"{place}.id", f'"{name}" stands twice; give each step an id of its own')
        if name is not None:
            seen.add(name)
        yield from _user_mistakes(step.get("user"), users, f"{place}.user")
        others = [one for one in ids if one != name]
        for table, key in (("start", "after"), ("park", "until")):
            inner = step.get(table)
            if isinstance(inner, dict):
                yield from _unknown(
                    inner.get(key), others, f"{place}.{table}.{key}", "other step of this phase"
                )
        cancel = step.get("cancel")
        if isinstance(cancel, dict) and ("at" in cancel) == ("after_ms" in cancel):
            yield Mistake(f"{place}.cancel", "must give exactly one of at and after_ms")
    yield from _ring_of_starts(steps, where)


def _user_mistakes(user: Any, users: list[str], where: str) -> Iterator[Mistake]:
    for one in user if isinstance(user, list) else [user]:
        if one != "each":
            yield from _unknown(one, users, where, "user")
        elif not users:
            yield Mistake(where, '"each" needs users; add users = [...]')


def _ring_of_starts(steps: list[dict[str, Any]], where: str) -> Iterator[Mistake]:
    """Find steps that wait for each other's begin or end, so that none would ever start."""
    after = {
        _name(step): step["start"].get("after")
        for step in steps
        if isinstance(step.get("start"), dict)
    }
    for first in after:
        path, at = [first], after.get(first)
        while at is not None and at not in path:
            path.append(at)
            at = after.get(at)
        if at == first and first == min(str(one) for one in path):
            ring = " -> ".join(str(one) for one in [*path, first])
            yield Mistake(f"{where}.do", f"steps start after each other in a ring: {ring}")


def _check_mistakes(
    check: ResolvedCheck, steps: list[str], phases: list[str], users: list[str]
) -> Iterator[Mistake]:
    values = check.parameters.model_dump()
    where = f"check.{check.name}"
    for key in STEP_KEYS:
        given = values.get(key)
        for one in given if isinstance(given, list) else [given]:
            yield from _unknown(one, steps, f"{where}.{key}", "step")
    for one in values.get("users") or ():
        yield from _unknown(one, users, f"{where}.users", "user")
    for one in values.get("creations") or ():
        yield from _unknown(one, steps, f"{where}.creations", "step")
    for key in (*PHASE_KEYS, *(["times"] if check.name == "elapsed" else [])):
        yield from _unknown(values.get(key), phases, f"{where}.{key}", "phase")


def _unknown(name: Any, known: list[str], where: str, what: str) -> Iterator[Mistake]:
    if not isinstance(name, str) or name in known:
        return
    close = difflib.get_close_matches(name, known, n=1)
    hint = f'did you mean "{close[0]}"?' if close else f"known here: {', '.join(known) or 'none'}"
    yield Mistake(where, f'no {what} is named "{name}"; {hint}')


def _tables(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _name(step: dict[str, Any]) -> str | None:
    name = step.get("id", step.get("call"))
    return name if isinstance(name, str) else None
