"""The one line that repeats a run."""

from __future__ import annotations

import shlex

from harness.history.records import NodeKind
from harness.systems.port import DEFAULT_SYSTEM

__all__ = ["replay_line"]


def replay_line(path: str, *, seed: int, node: NodeKind, system: str | None) -> str:
    """Write the command that repeats a run: file, seed, and what differs from the defaults."""
    words = ["harness", "replay", path, "--seed", str(seed)]
    if node is not NodeKind.SIMULATED:
        words += ["--node", node.value]
    if system not in (None, DEFAULT_SYSTEM):
        words += ["--system", str(system)]
    return shlex.join(words)
