"""One run of many: a crash in it is told in its own result, and costs the others nothing."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput, Terminated
from harness.history.records import NodeKind
from harness.runs.loading import system_at, system_path_of
from harness.runs.replay_line import replay_line
from harness.runs.runner import not_run, run_scenario
from harness.systems.port import DEFAULT_SYSTEM

if TYPE_CHECKING:
    from harness.backends.port import Backend
    from harness.results.runs import RunResult
    from harness.scenario.model import Scenario

__all__ = ["repeatable", "run_one"]


def run_one(scenario: Scenario, backend: Backend, *, system: str | None, seed: int) -> RunResult:
    """Carry out a run and judge it; what keeps it from being judged is told in its result.

    Raises:
        BadInput: The system cannot be used.
    """
    try:
        found = run_scenario(
            scenario,
            backend,
            system=system_at(system_path_of(scenario, system)),
            system_path=_told(scenario, system) or DEFAULT_SYSTEM,
            seed=seed,
        )
    except (BadInput, Terminated):
        raise
    except SystemExit as error:
        reason = f"the system under test ended the interpreter: {error!r}"
        found = not_run(scenario, node=backend.kind, seed=seed, reason=reason)
    except Exception as error:  # noqa: BLE001 - one run's crash must not cost the others' results
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"a fault of the harness: {error!r} at {Path(where.filename).name}:{where.lineno}"
        found = not_run(scenario, node=backend.kind, seed=seed, reason=reason)
    return found if found.could_not_run is None else repeatable(found, scenario, system=system)


def _told(scenario: Scenario, system: str | None) -> str | None:
    """Name the system for the replay line, which does so only where the file does not."""
    path = system_path_of(scenario, system)
    return None if path == scenario.system else path


def repeatable(lost: RunResult, scenario: Scenario, *, system: str | None) -> RunResult:
    """Have a run that was not judged say with which system it is repeated."""
    told = _told(scenario, system)
    line = replay_line(lost.path, seed=lost.seed, node=NodeKind(lost.node), system=told)
    return replace(lost, replay=line)
