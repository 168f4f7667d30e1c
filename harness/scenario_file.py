"""Own the reading of scenario files: TOML in, a checked Scenario or all of its mistakes out."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.checks import ALWAYS_ON, CHECKS, CheckKind, ResolvedCheck
from harness.errors import BadInput
from harness.history import NodeKind
from harness.scenario import IMPORT_PATH, OPERATIONS_MAX, Scenario, Step, User, UserCount
from harness.scenario_mistakes import Mistake, told, values_mistakes
from harness.scenario_references import reference_mistakes

__all__ = ["find_scenarios", "read_scenario"]

BYTES_MAX = 1_000_000
KINDS = tuple(kind.value for kind in NodeKind)


def find_scenarios(paths: list[Path]) -> list[Path]:
    """List the scenario files at ``paths``: files as they are, folders with all below them.

    Raises:
        BadInput: A path does not exist, or a folder holds no scenario.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.rglob("*.toml"))
            if not inside:
                msg = f"{path}: holds no scenario (*.toml); name a file or another folder"
                raise BadInput(msg)
            found += inside
        elif path.exists():
            found.append(path)
        else:
            msg = f"{path}: no such file or folder{_near(path)}"
            raise BadInput(msg)
    return list(dict.fromkeys(found))


def read_scenario(path: Path) -> Scenario:
    """Read and check one scenario file.

    Raises:
        BadInput: The file cannot be read or breaks rules; every mistake is told at once.
    """
    data = _parsed(path)
    mistakes: list[Mistake] = []
    users = _users(data.pop("users", None), mistakes)
    checks = _checks(data.pop("check", None), mistakes)
    limits = [one.parameters.within_s for one in checks["simulated"] if one.name == "no_deadlock"]
    raw = dict(data)
    for key in ("name", "path", "checks", "within_s"):
        if key in raw:
            mistakes.append(Mistake(key, "is no key of a scenario file; remove it"))
            del raw[key]
    built = {
        **raw,
        "name": path.stem,
        "path": str(path),
        "users": users,
        "checks": checks,
        "within_s": limits[0] if limits else 30.0,
    }
    scenario = None
    try:
        scenario = Scenario.model_validate(built)
    except ValidationError as error:
        mistakes += values_mistakes(error, built)
    mistakes += reference_mistakes(raw, [user.name for user in users], checks)
    if scenario is not None:
        mistakes += _wholes(scenario)
    if mistakes or scenario is None:
        raise BadInput(told(path, mistakes))
    return scenario


def _parsed(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > BYTES_MAX:
            msg = f"{path}: must be at most {BYTES_MAX} bytes, has {size}; split it"
            raise BadInput(msg)
        text = path.read_bytes().decode("utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror or error}"
        raise BadInput(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: must be UTF-8 text, byte {error.start} is not; save it as UTF-8"
        raise BadInput(msg) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"{path}: is not TOML: {error or 'nested too deeply'}"
        raise BadInput(msg) from error
    if not data:
        msg = f"{path}: is empty; a scenario has claim, users, [[phase]] and [check]"
        raise BadInput(msg)
    return data


def _users(given: Any, mistakes: list[Mistake]) -> list[User]:
    where = "users"
    try:
        if given is None:
            return []
        if isinstance(given, dict):
            many = UserCount.model_validate(given)
            users = [_numbered(many, number) for number in range(many.count)]
        elif isinstance(given, list) and given:
            users = []
            for number, one in enumerate(given):
                where = f"users[{number}]"
                users.append(User.model_validate({"name": one} if isinstance(one, str) else one))
        else:
            mistakes.append(
                Mistake(where, f"must be a list of names or {{ count = N }}, got {given!r}")
            )
            return []
    except ValidationError as error:
        mistakes += [
            Mistake(f"{where}.{mistake.where}".rstrip("."), mistake.what)
            for mistake in values_mistakes(error, given)
        ]
        return []
    names = [user.name for user in users]
    mistakes += [
        Mistake("users", f'"{name}" stands twice; names must differ')
        for name in sorted({name for name in names if names.count(name) > 1})
    ] if len(names) != len(set(names)) else []
    if "each" in names:
        mistakes.append(Mistake("users", '"each" means all users in a step; take another name'))
    return users


def _numbered(many: UserCount, number: int) -> User:
    return User(
        name=many.name.replace("{number}", str(number)),
        data={
            key: value.replace("{number}", str(number)) if isinstance(value, str) else value
            for key, value in many.data.items()
        },
    )


def _checks(given: Any, mistakes: list[Mistake]) -> dict[str, tuple[ResolvedCheck, ...]]:
    found: dict[str, list[ResolvedCheck]] = {kind: [] for kind in KINDS}
    if given is None:
        mistakes.append(Mistake("check", "is missing; say what must hold, as in [check]"))
        given = {}
    if not isinstance(given, dict):
        mistakes.append(Mistake("check", f"must be a table [check], got {given!r}"))
        given = {}
    for name, tables in given.items():
        if name not in CHECKS:
            mistakes.append(Mistake(f"check.{name}", f"no such check{_like(name, list(CHECKS))}"))
            continue
        many = isinstance(tables, list)
        for number, table in enumerate(tables if many else [tables]):
            where = f"check.{name}[{number}]" if many else f"check.{name}"
            _resolve(CHECKS[name], table, where=where, found=found, mistakes=mistakes)
    for name in ALWAYS_ON:
        if name not in given:
            _resolve(CHECKS[name], {}, where=f"check.{name}", found=found, mistakes=mistakes)
    return {kind: tuple(checks) for kind, checks in found.items()}


def _resolve(
    check: CheckKind,
    table: Any,
    *,
    where: str,
    found: dict[str, list[ResolvedCheck]],
    mistakes: list[Mistake],
) -> None:
    """Resolve a check for each backend: its own limits stand in a table named after it."""
    if not isinstance(table, dict):
        mistakes.append(Mistake(where, f"must be a table, as in {check.name} = {{}}, got {table!r}"))
        return
    plain = {key: value for key, value in table.items() if key not in KINDS}
    told_already: set[Mistake] = set()
    for kind in KINDS:
        own = table.get(kind, {})
        if not isinstance(own, dict):
            mistakes.append(Mistake(f"{where}.{kind}", f"must be a table, got {own!r}"))
            continue
        merged = plain | own
        try:
            parameters = check.parameters.model_validate(merged)
            found[kind].append(ResolvedCheck(name=check.name, parameters=parameters))
        except ValidationError as error:
            for mistake in values_mistakes(error, merged):
                key = mistake.where.split(".")[0]
                place = f"{where}.{kind}" if key in own else where
                full = Mistake(f"{place}.{mistake.where}".rstrip("."), mistake.what)
                if full not in told_already:
                    told_already.add(full)
                    mistakes.append(full)


def _wholes(scenario: Scenario) -> list[Mistake]:
    """Find what only the whole shows: nothing to do, or far too much of it."""
    mistakes = []
    if scenario.system is not None and not IMPORT_PATH.match(scenario.system):
        mistakes.append(
            Mistake("system", f'must be "package.module:attribute", got "{scenario.system}"')
        )
    if not scenario.steps:
        mistakes.append(Mistake("phase", "no phase has a step; add [[phase.do]] with a call"))
    total = sum(_calls(step, len(scenario.users)) for step in scenario.steps)
    if total > OPERATIONS_MAX:
        mistakes.append(
            Mistake("phase", f"asks for {total} calls in all; at most {OPERATIONS_MAX} are run")
        )
    return mistakes


def _calls(step: Step, users: int) -> int:
    people = users if step.user == "each" else len(step.user) if isinstance(step.user, list) else 1
    return people * step.times * (step.repeat.times if step.repeat else 1)


def _like(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known: {', '.join(known)}"


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    names = sorted(one.name for one in path.parent.iterdir())
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""
