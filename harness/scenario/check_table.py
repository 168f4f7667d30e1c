"""The reading of a scenario's [check] table: every check, with its limits for each backend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.checks.registry import ALWAYS_ON, CHECKS, RENAMED, ResolvedCheck
from harness.history.records import NodeKind
from harness.scenario.keys import file_keys
from harness.scenario.mistakes import Mistake, place, values_mistakes
from harness.scenario.words import listed, resembling, shown

if TYPE_CHECKING:
    from harness.checks.kind import CheckKind

__all__ = ["PlacedCheck", "read_checks", "resolved"]

KINDS = tuple(kind.value for kind in NodeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCheck:
    """A check for a backend, and its place; ``own`` holds the keys in the backend's table."""

    check: ResolvedCheck
    kind: str
    where: str
    own: frozenset[str]

    def at(self, key: str) -> str:
        """Return the path of a parameter of the check in the file."""
        return f"{self.where}.{self.kind}.{key}" if key in self.own else f"{self.where}.{key}"


def read_checks(given: Any) -> tuple[list[PlacedCheck], list[Mistake]]:
    """Make the checks of a file's ``check`` table, and find every mistake in it."""
    checks: list[PlacedCheck] = []
    mistakes: list[Mistake] = []
    if given is None:
        mistakes.append(Mistake("check", "is missing: say under [check] what must hold"))
    elif not isinstance(given, dict):
        brackets = "; write [check] with single brackets" if isinstance(given, list) else ""
        mistakes.append(Mistake("check", f"must be a table, got {shown(given)}{brackets}"))
    tables = given if isinstance(given, dict) else {}
    for name, table in tables.items():
        if name in CHECKS:
            found, wrong = _read(CHECKS[name], table)
            checks += found
            mistakes += wrong
        else:
            mistakes.append(Mistake(place(("check", name)), _unknown(name)))
    for name in ALWAYS_ON:
        if name not in tables:
            checks += [
                replace(one, check=replace(one.check, asked=False))
                for one in _read(CHECKS[name], {})[0]
            ]
    return checks, mistakes


def resolved(checks: list[PlacedCheck]) -> dict[str, tuple[ResolvedCheck, ...]]:
    """Sort the checks by backend, as a Scenario has them."""
    return {kind: tuple(one.check for one in checks if one.kind == kind) for kind in KINDS}


def _unknown(name: str) -> str:
    if name in RENAMED:
        return f"no such check: it is called {RENAMED[name]} now; write {RENAMED[name]}"
    close = resembling(name, CHECKS)
    if close is not None:
        return f'no such check; did you mean "{close}"?'
    if name in file_keys():
        return "no such check; as a key of the file it belongs at the top, before the first [table]"
    return f"no such check; known: {listed(CHECKS)}"


def _read(check: CheckKind, given: Any) -> tuple[list[PlacedCheck], list[Mistake]]:
    """Read a check: a table, or a list of tables if it stands several times."""
    where = f"check.{check.name}"
    if not isinstance(given, list):
        return _resolve(check, given, where=where)
    if not given:
        return [], [
            Mistake(where, f"must not be empty; write {check.name} = {{}}, or leave it out")
        ]
    if check.name in ALWAYS_ON and len(given) > 1:
        return [], [Mistake(where, "judges the whole run; write it once")]
    checks: list[PlacedCheck] = []
    mistakes: list[Mistake] = []
    for number, table in enumerate(given):
        found, wrong = _resolve(check, table, where=f"{where}[{number}]")
        checks += found
        mistakes += wrong
    return checks, mistakes


def _resolve(
    check: CheckKind, table: Any, *, where: str
) -> tuple[list[PlacedCheck], list[Mistake]]:
    """Resolve a check for each backend, whose limits stand in a table named after it."""
    if not isinstance(table, dict):
        message = f"must be a table, as in {check.name} = {{ ... }}, got {shown(table)}"
        return [], [Mistake(where, message)]
    plain = {key: value for key, value in table.items() if key not in KINDS}
    checks: list[PlacedCheck] = []
    mistakes: list[Mistake] = []
    for kind in KINDS:
        own = table.get(kind, {})
        if not isinstance(own, dict):
            message = f"must be a table of limits for {kind} runs, got {shown(own)}"
            mistakes.append(Mistake(f"{where}.{kind}", message))
            continue
        merged = plain | own
        try:
            parameters = check.parameters.model_validate(merged)
        except ValidationError as error:
            mistakes += [
                _told(mistake, where=where, kind=kind, table=table, own=own)
                for mistake in values_mistakes(error, merged, check.parameters)
            ]
            continue
        one = ResolvedCheck(name=check.name, parameters=parameters)
        checks.append(PlacedCheck(check=one, kind=kind, where=where, own=frozenset(own)))
    return checks, list(dict.fromkeys(mistakes))


def _told(
    mistake: Mistake, *, where: str, kind: str, table: dict[str, Any], own: dict[str, Any]
) -> Mistake:
    """Place a mistake at its key, or at the backend's table that lacks the key."""
    key = mistake.where.partition("[")[0].partition(".")[0]
    others = [table.get(one, {}) for one in KINDS if one != kind]
    stands_elsewhere = any(isinstance(one, dict) and key in one for one in others)
    # A mistake of no particular key belongs to the table that differs by backend, if any.
    differs = not key and bool(own or any(others))
    if differs or key in own or (key and key not in table and stands_elsewhere):
        return Mistake(f"{where}.{kind}.{mistake.where}".rstrip("."), mistake.what)
    return Mistake(f"{where}.{mistake.where}".rstrip("."), mistake.what)
