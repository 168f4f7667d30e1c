"""The scenarios of runs and their systems: each read once, and compared with one another."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput, Terminated
from harness.runs.conditions import condition_mistakes
from harness.runs.opening import DEFAULT_PARTNER
from harness.scenario.mistakes import Mistake, message
from harness.scenario.reading import call_mistakes, checked, parsed
from harness.systems.imports import importing_from_here
from harness.systems.loading import load_partner, load_system
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from typing import Any

    from harness.scenario.model import Scenario
    from harness.systems.port import System

__all__ = ["refuse_mistakes", "scenario_at", "system_at", "system_of", "system_path_of"]


def scenario_at(path: str, *, system: str | None = None) -> Scenario:
    """Read a scenario, once as long as its file is not changed.

    Of a file with mistakes the system is asked too, ``system`` or else the file's own: so all of
    its mistakes are told at once, and those that follow from a mistaken call are not.

    Raises:
        BadInput: It cannot be read, or breaks rules; the message lists every mistake.
    """
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read_once(Path(path), changed, system)


@lru_cache(maxsize=1_000)
def _read_once(path: Path, changed: int, system: str | None) -> Scenario:
    # Workers of a cluster live long: a file that was changed is another one.
    del changed
    data = parsed(path)
    scenario, mistakes = checked(path, data)
    if mistakes or scenario is None:
        raise BadInput(message(path, _all_mistakes(path, data, mistakes, system)))
    return scenario


def _all_mistakes(
    path: Path, data: dict[str, Any], mistakes: list[Mistake], asked: str | None
) -> list[Mistake]:
    """Add to the mistakes of a file what its system finds in it, as far as that can be told."""
    named = asked or data.get("system", DEFAULT_SYSTEM)
    try:
        system = system_at(named if isinstance(named, str) else "")
    except BadInput as error:
        is_told = any(one.where == "system" for one in mistakes)
        return mistakes if is_told else [*mistakes, _mistake(str(error))]
    wrong = call_mistakes(data, system.operations)
    scenario, mistakes = checked(path, data)
    lines = [] if scenario is None else _lacks(scenario, system)
    # Of a step with another call than the file's, what it is called with says nothing.
    steps = tuple(one.where.removesuffix("call") for one in wrong)
    return [*wrong, *mistakes, *(_mistake(one) for one in lines if not one.startswith(steps))]


def _mistake(line: str) -> Mistake:
    where, _, what = line.partition(": ")
    return Mistake(where, what)


def refuse_mistakes(scenario: Scenario, system: System) -> None:
    """Refuse a scenario that asks its system for what it does not have.

    Raises:
        BadInput: With all that is missing.
    """
    lines = _lacks(scenario, system)
    if lines:
        raise BadInput(message(Path(scenario.path), [_mistake(one) for one in lines]))


@importing_from_here()
def _lacks(scenario: Scenario, system: System) -> list[str]:
    lines: list[str] = []
    try:
        # A system is the user's own adapter: this is the one member that it need not have.
        offered = getattr(system, "conditions", ())
        lines = [*system.mistakes(scenario), *condition_mistakes(scenario, offered)]
        if system.needs_node:
            load_partner(DEFAULT_PARTNER).check()
    except BadInput as error:
        return [*lines, str(error)]
    except (KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:  # noqa: BLE001 - the adapter's own fault is one more line
        return [f"system: its mistakes() failed: {error!r}; mend the adapter"]
    return lines


def system_of(scenario: Scenario, asked: str | None) -> System:
    """Load the system that a scenario runs on: what is asked for, its file's, or serve.

    Raises:
        BadInput: It cannot be loaded, or does not have what the scenario asks it for.
    """
    system = system_at(system_path_of(scenario, asked))
    refuse_mistakes(scenario, system)
    return system


def system_at(path: str) -> System:
    """Load a system by its import path, once as long as the current folder is the same.

    Raises:
        BadInput: It cannot be loaded.
    """
    return _system_once(path, Path.cwd())


@lru_cache(maxsize=100)
def _system_once(path: str, here: Path) -> System:
    # An import path leads elsewhere from another folder.
    del here
    try:
        return load_system(path)
    except (BadInput, KeyboardInterrupt, Terminated):
        raise
    # A module that ends the interpreter must not end the harness, least of all with a green 0.
    except BaseException as error:
        msg = f'system "{path}": cannot be loaded: {error!r}; mend the module'
        raise BadInput(msg) from error


def system_path_of(scenario: Scenario, asked: str | None) -> str:
    """Return the import path of a scenario's system: what is asked for, its file's, or serve."""
    return asked or scenario.system or DEFAULT_SYSTEM
