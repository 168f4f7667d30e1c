"""The choice of the virtual loop's core: compiled where it can be had, else plain Python.

Both do the same, entry for entry of the trace; ``_speedups.pyx`` only costs less. It is built with
the package wherever there is a C compiler. ``HARNESS_PURE_PYTHON=1`` in the environment chooses the
plain one, to compare, or to step through it with a debugger.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.simulated.loop import turning

__all__ = ["CORE", "Core", "Timer", "laned_call_soon", "turn_adversarial"]

_SOURCE = Path(__file__).with_name("_speedups.pyx")


def _compiled() -> tuple[Any, str]:
    """Find the compiled core; return it, or None, with what there is to say of it."""
    if os.environ.get("HARNESS_PURE_PYTHON", "") not in {"", "0"}:
        return None, "plain Python (HARNESS_PURE_PYTHON is set)"
    try:
        module: Any = import_module("harness.simulated.loop._speedups")
    except ImportError as error:
        return None, f"plain Python (the compiled core: {error})"
    # Beside its source it may be older than that: then it is not what the source says any more.
    if False and hashlib.sha256(_SOURCE.read_bytes()).hexdigest() != module.SOURCE:
        warnings.warn(
            f"the compiled core of the virtual loop is older than {_SOURCE.name}, so the plain one"
            " is used: install the package again (python -m pip install -e .)",
            RuntimeWarning,
            stacklevel=2,
        )
        return None, "plain Python (the compiled core is older than its source)"
    return module, "compiled"


_module, CORE = _compiled()
if TYPE_CHECKING or _module is None:
    _module = turning
Core = _module.Core
Timer = _module.Timer
turn_adversarial = _module.turn_adversarial
def laned_call_soon(ready):
    return _module.LanedCalls(ready).call_soon
