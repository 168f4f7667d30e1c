"""What each folder for reviewers says of its making: versions, the source's commit, the core."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from harness.results.machine import versions
from harness.simulated.loop.core import core_name

__all__ = ["made_by", "now"]

ROOT = Path(__file__).parents[2]


def now() -> str:
    """Return the time, to the second, as text."""
    return datetime.now(tz=UTC).isoformat(timespec="seconds")


def made_by() -> dict[str, str]:
    """Map what made a folder to its version; the source's commit if this is a git checkout."""
    found = {**versions(), "core of the virtual loop": core_name()}
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return found
    return {**found, "source": f"commit {done.stdout.strip()}"}
