"""The reading of scenario files into checked scenarios."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import BadInput
from harness.scenario.check_table import read_checks, resolved
from harness.scenario.keys import NOT_IN_FILES, stray_key
from harness.scenario.mistakes import Mistake, message, values_mistakes
from harness.scenario.model import IMPORT_PATH, Scenario
from harness.scenario.outline import outline_of
from harness.scenario.rules.claims import claim_mistakes
from harness.scenario.rules.order import order_mistakes
from harness.scenario.rules.references import reference_mistakes
from harness.scenario.rules.steps import step_mistakes
from harness.scenario.toml_file import near, read_toml, reason
from harness.scenario.users import read_users
from harness.scenario.words import no_operation, resembling, shown

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "call_mistakes",
    "checked",
    "find_scenarios",
    "has_regressions",
    "parsed",
    "read_scenario",
]

REGRESSIONS = "regressions"


def find_scenarios(paths: list[Path]) -> list[Path]:
    """List the scenario files at ``paths``: the files named, and all files below the folders.

    Hidden folders are left out, and those named regressions: their files are not scenarios.

    Raises:
        BadInput: A path does not exist, or a folder holds no scenario.
    """
    found: list[Path] = []
    for path in paths:
        try:
            # Asked of stat(): what is_dir() and exists() make of an error depends on the Python.
            if stat.S_ISDIR(path.stat().st_mode):
                inside = sorted(one for one in path.rglob("*.toml") if not _is_left_out(one, path))
                if not inside:
                    raise BadInput(
                        f"{path}: holds no scenario (*.toml); name a file or another folder"
                    )
                found += inside
            else:
                found.append(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BadInput(f"{path}: no such file or folder{near(path)}") from error
        except (OSError, ValueError) as error:
            raise BadInput(f"{path}: cannot be read: {reason(error)}") from error
    return list(dict.fromkeys(found))


def has_regressions(scenario: Scenario) -> bool:
    """Return True if a folder of kept failures, or what has its name, lies beside a scenario."""
    return os.path.lexists(Path(scenario.path).parent / REGRESSIONS)


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises:
        BadInput: The file cannot be read or breaks rules; the message lists every mistake.
    """
    scenario, mistakes = checked(path, parsed(path))
    if mistakes or scenario is None:
        raise BadInput(message(path, mistakes))
    return scenario


def checked(path: Path, data: dict[str, Any]) -> tuple[Scenario | None, list[Mistake]]:
    """Check what a file holds; the scenario is None if values are wrong, not only names."""
    data = dict(data)
    users, mistakes = read_users(data.pop("users", None))
    outline = outline_of(data, None if mistakes else [user.name for user in users])
    checks, wrong = read_checks(data.pop("check", None))
    mistakes += wrong
    mistakes += _not_in_files(data)
    by_backend = resolved(checks)
    built = {**data, "name": path.stem, "path": str(path), "users": users, "checks": by_backend}
    scenario = None
    try:
        scenario = Scenario.model_validate(built)
    except ValidationError as error:
        mistakes += values_mistakes(error, built, Scenario)
    mistakes += _system(data.get("system"))
    mistakes += reference_mistakes(outline, checks)
    mistakes += step_mistakes(outline)
    mistakes += order_mistakes(outline)
    mistakes += claim_mistakes(outline, checks)
    return scenario, mistakes


def call_mistakes(data: dict[str, Any], operations: Collection[str]) -> list[Mistake]:
    """Find calls that are almost an operation of the system, and write that one into the data.

    So what names such a step by the right word is no mistake any more.
    """
    found = []
    for step in (one for phase in outline_of(data, None).phases for one in phase.steps):
        call = step.raw.get("call")
        if not isinstance(call, str) or call in operations:
            continue
        close = resembling(call, operations)
        if close is not None:
            found.append(Mistake(f"{step.where}.call", no_operation(call, operations)))
            step.raw["call"] = close
    return found


def parsed(path: Path) -> dict[str, Any]:
    """Read a file's TOML.

    Raises:
        BadInput: It cannot be read, or is none.
    """
    holds = "claim, users, [[phase]] and [check]"
    return read_toml(path, noun="scenario", holds=holds, shorter="split it")


def _not_in_files(data: dict[str, Any]) -> list[Mistake]:
    """Remove keys that only a Scenario may have, and return a mistake for each."""
    wrong = [key for key in NOT_IN_FILES if key in data]
    for key in wrong:
        del data[key]
    instead = {key: stray_key(Scenario, (key,)) or 'did you mean "check"?' for key in wrong}
    return [Mistake(key, f"no such key; {told_instead}") for key, told_instead in instead.items()]


def _system(given: Any) -> list[Mistake]:
    if not isinstance(given, str) or IMPORT_PATH.match(given):
        return []
    return [Mistake("system", f'must be "package.module:attribute", got {shown(given)}')]


def _is_left_out(path: Path, folder: Path) -> bool:
    """Return True for hidden files, and for the kept failures of searches."""
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") for part in parts) or REGRESSIONS in parts[:-1]
