"""The one line that repeats a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.history.records import NodeKind
from harness.results.profile_used import NOMINAL
from harness.runs.scenarios import system_path_of

if TYPE_CHECKING:
    from harness.results.profile_used import ProfileUsed
    from harness.scenario.model import Scenario

__all__ = ["replay_line"]


def replay_line(
    scenario: Scenario,
    *,
    seed: int,
    node: NodeKind,
    system: str | None,
    profile: ProfileUsed | None = None,
) -> str:
    """Write the command that repeats a run: file, seed, and what differs from the defaults.

    ``system`` is the import path of the one that ran, or None for that of the file. The hash
    of a ``profile`` stands in the line, so that it repeats no run with another one.
    """
    words = ["harness", "replay", scenario.path, "--seed", str(seed)]
    if node is not NodeKind.SIMULATED:
        words += ["--node", node.value]
    if system not in (None, system_path_of(scenario, None)):
        words += ["--system", str(system)]
    if profile not in (None, NOMINAL):
        words += ["--profile", str(profile)]
    return shlex.join(words)
