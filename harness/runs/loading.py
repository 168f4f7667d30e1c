"""The system under test by its import path, loaded once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from harness.errors import BadInput, Terminated
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from harness.scenario.model import Scenario
    from harness.systems.port import System

__all__ = ["system_at", "system_path_of"]


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
        msg = f'system "{path}": cannot be loaded: {error!r}; mend the module'
        raise BadInput(msg) from error


def system_path_of(scenario: Scenario, asked: str | None) -> str:
    """Return the import path of a scenario's system: what is asked for, its file's, or serve."""
    return asked or scenario.system or DEFAULT_SYSTEM
