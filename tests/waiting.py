"""Waiting in a test for what another process or thread does: it looks, and never guesses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from typing import Any

__all__ = ["LIMIT_S", "wait_until"]

# Ends a test that would wait for ever. Nothing that works takes so long, on any machine.
LIMIT_S = 240.0


def wait_until(
    holds: Callable[[], object], *, process: subprocess.Popen[Any] | None = None
) -> None:
    """Return once it holds; fail if ``process`` ends before, with what it printed."""
    until_s = time.monotonic() + LIMIT_S
    while not holds():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < until_s, "waited for in vain"
        time.sleep(0.02)
