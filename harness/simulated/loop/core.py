"""The choice of the virtual loop's core: compiled where it can be had, else plain Python.

Both are one text, ``turning.py``, and do the same, entry for entry of the trace; compiled it only
costs less. It is compiled with the package wherever there is a C compiler. With
``HARNESS_PURE_PYTHON=1`` in the environment the plain one is used, to compare, or to step through
it with a debugger. That is read when a core is first needed, and then counts for the process.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from harness.simulated.loop import turning

__all__ = ["chosen", "core_name", "the_core"]

_FOLDER = Path(__file__).parent


def the_core() -> Any:
    """Return the module that is the core: ``turning``, or what was compiled from it."""
    return chosen()[0]


def core_name() -> str:
    """Say which core is in use, and if it is the plain one, why."""
    return chosen()[1]


@cache
def chosen() -> tuple[Any, str]:
    """Return the core of this process, and say which one it is; chosen at the first call."""
    if os.environ.get("HARNESS_PURE_PYTHON", "") not in {"", "0"}:
        return turning, "plain Python (HARNESS_PURE_PYTHON is set)"
    try:
        compiled: Any = import_module("harness.simulated.loop._speedups")
    except ImportError as error:
        return turning, f"plain Python (the compiled core: {error})"
    changed = _changed_since(compiled.SOURCES)
    if changed:
        warnings.warn(
            f"the compiled core of the virtual loop is older than {', '.join(changed)}, so the"
            " plain one is used: install the package again (python -m pip install -e .)",
            RuntimeWarning,
            stacklevel=2,
        )
        return turning, "plain Python (the compiled core is older than its source)"
    return compiled, "compiled"


def _changed_since(sources: dict[str, str]) -> list[str]:
    """List those of the files that a core was compiled from which say something else now.

    An installed package has no C types beside it; a checkout has all.
    """
    there = {name: _FOLDER / name for name in sources if (_FOLDER / name).exists()}
    return [
        name
        for name, path in there.items()
        if hashlib.sha256(path.read_bytes()).hexdigest() != sources[name]
    ]
