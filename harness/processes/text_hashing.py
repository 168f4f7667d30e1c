"""How this process hashes texts, and so orders sets of them: by PYTHONHASHSEED, else at random."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

__all__ = ["FIXED", "RANDOM", "VARIABLE", "begin_again_fixed", "text_hashing"]

VARIABLE = "PYTHONHASHSEED"
FIXED, RANDOM = "0", "random"
# Who has begun to debug has said things that would be said once more.
_DEBUGGERS = ("bdb", "debugpy", "pydevd")


def text_hashing() -> str:
    """Return the number that decides it, "random" if none does."""
    if not sys.flags.hash_randomization:
        return FIXED
    said = os.environ.get(VARIABLE, RANDOM)
    # The variable may have been set since, for the processes that this one starts.
    return said if said.isdecimal() and int(said) else RANDOM


def begin_again_fixed() -> None:
    """Run this command again with texts hashed one way, unless the environment says how.

    Python must know that before it begins. The process stays the same one, and so do its input,
    its output and who waits for it; those that it starts inherit the variable.
    """
    if os.name != "posix" or os.environ.get(VARIABLE) or not sys.executable:
        return
    if not _is_the_command() or any(name in sys.modules for name in _DEBUGGERS):
        return
    os.environ[VARIABLE] = FIXED
    with suppress(OSError):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - itself
    del os.environ[VARIABLE]


def _is_the_command() -> bool:
    """Return False inside of another program, which would begin again with it."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    by_module = spec is not None and spec.name in {"harness", "harness.__main__"}
    return by_module or sys.argv[0].rpartition("/")[2] == "harness"
