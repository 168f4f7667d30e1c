"""Own how the frames of a step are taken, by whose code they run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from harness.diagnosis.places import is_asyncio, is_harness
from harness.simulated.loop.handles import ReadyHandle, Timer

if TYPE_CHECKING:
    from types import CodeType

__all__ = [
    "ANYTHING",
    "CANCELLING",
    "KINDS",
    "LOOKED_AT",
    "LOOKING",
    "PASSED",
    "PROGRAM",
    "SELF",
    "TASKS",
    "kind_of",
]

# Read instruction by instruction; passed over; one write of their ``self``, and what they do to
# futures; passed over but for what they do to futures; or as doing anything.
PROGRAM, PASSED, SELF, TASKS, ANYTHING = range(5)

# In which frames a call of a builtin touches something, and the class of what it belongs to.
LOOKED_AT = {PROGRAM: object, TASKS: asyncio.Future, SELF: asyncio.Future}
# Whether a handle's callback still runs, no other footprint shows: whoever in the program cancels
# one may do anything. Where asyncio cancels one of its own, that of the primitive it belongs to
# does. ``builtin_effects.py`` has the compiled handles. By address: see ``code_segments.py``.
CANCELLING = frozenset({id(ReadyHandle.cancel.__code__), id(Timer.cancel.__code__)})
# Of asyncio's functions on tasks these look into what they are given.
LOOKING = frozenset({"wait", "as_completed"})

_AT_ALL_TASKS = frozenset({"all_tasks"})
_PRIMITIVES = frozenset({"locks.py", "queues.py", "taskgroups.py", "timeouts.py"})
_PLUMBING = frozenset(
    {"coroutines.py", "events.py", "exceptions.py", "futures.py", "mixins.py", "base_futures.py"}
)
_LOOP = frozenset(
    {
        "adversarial_turn.py", "exploring_loop.py", "observer.py", "handles.py", "laned_calls.py",
        "loop_surface.py", "plain_core.py", "task_sets.py", "trail.py", "virtual_environment.py",
        "virtual_loop.py", "virtual_task.py",
    }
)  # fmt: skip

# By the identity of the code, which is kept so that it stays one.
KINDS: dict[int, tuple[CodeType, int]] = {}


def kind_of(code: CodeType) -> int:
    """Return how frames of a code are taken."""
    known = KINDS.get(id(code))
    if known is None:
        known = KINDS[id(code)] = (code, _kind_by_file(code))
    return known[1]


def _kind_by_file(code: CodeType) -> int:
    path = code.co_filename
    name = Path(path).name
    if is_asyncio(path):
        if name in _PRIMITIVES:
            return SELF if code.co_varnames[:1] == ("self",) else PASSED
        if name == "tasks.py":
            return ANYTHING if code.co_name in _AT_ALL_TASKS else TASKS
        return PASSED if name in _PLUMBING else ANYTHING
    if is_harness(path):
        return PASSED if name in _LOOP else ANYTHING
    if name == "_weakrefset.py":
        return SELF if code.co_varnames[:1] == ("self",) else PASSED
    return PROGRAM
