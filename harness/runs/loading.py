"""What a run is made from, loaded once: a scenario by its path, and the system under test."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput, Terminated
from harness.scenario.reading import read_scenario
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from harness.scenario.model import Scenario
    from harness.systems.port import System

__all__ = ["scenario_at", "system_at", "system_path_of"]


def scenario_at(path: str) -> Scenario:
    """Read a scenario, once as long as its file is not changed.

    Raises:
        BadInput: It cannot be read, or breaks rules.
    """
    try:
        changed = Path(path).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _read_once(Path(path), changed)


@lru_cache(maxsize=1_000)
def _read_once(path: Path, changed: int) -> Scenario:
    # Workers of a cluster live long: a file that was changed is another one.
    del changed
    return read_scenario(path)


@lru_cache(maxsize=100)
def system_at(path: str) -> System:
    """Load a system by its import path, once.

    Raises:
        BadInput: It cannot be loaded.
    """
    try:
        return load_system(path)
    except (BadInput, Terminated):
        raise
    # A module that ends the interpreter must not end the harness, least of all with a green 0.
    except (Exception, SystemExit) as error:
        raise BadInput(f'system "{path}": cannot be loaded: {error!r}; mend the module') from error


def system_path_of(scenario: Scenario, asked: str | None) -> str:
    """Return the import path of a scenario's system: what is asked for, its file's, or serve."""
    return asked or scenario.system or DEFAULT_SYSTEM
