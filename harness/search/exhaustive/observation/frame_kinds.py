"""How the frames of a step are observed, by the module whose code they run."""

from __future__ import annotations

import asyncio.tasks
import inspect
from typing import TYPE_CHECKING, NamedTuple

from harness.diagnosis.classification import module_of
from harness.history.parts import Part, part_of
from harness.search.exhaustive.observation.lifetimes import asks_for_lifetimes
from harness.simulated.loop.turning import ReadyHandle, Timer
from harness.simulated.loop.virtual_task import VirtualTask

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = [
    "ANYTHING",
    "CANCELLING",
    "KINDS",
    "LOOKED_AT",
    "LOOKING",
    "MODULES",
    "PASSED",
    "PROGRAM",
    "SELF",
    "TASKS",
    "More",
    "kind_of",
    "names_a_new_task",
]

# Read instruction by instruction; passed over; one write of their ``self``, and what they do to
# futures; passed over but for what they do to futures; or as doing anything.
PROGRAM, PASSED, SELF, TASKS, ANYTHING = range(5)

# In which other frames a call of a future's method touches something.
LOOKED_AT = frozenset({TASKS, SELF})
# Whether a handle's callback still runs, no other footprint shows: whoever in the program cancels
# one may do anything. Where asyncio cancels one of its own, that of the primitive it belongs to
# does. ``builtin_effects.py`` has the compiled handles. By address: see ``code_segments.py``.
CANCELLING = frozenset({id(ReadyHandle.cancel.__code__), id(Timer.cancel.__code__)})
# Of asyncio's functions on tasks these look into what they are given.
LOOKING = frozenset({"wait", "as_completed"})

# Up to CPython 3.12 asyncio names a task after it has made it, by this function.
_NAMING = getattr(asyncio.tasks, "_set_task_name", None)
_MAKING = frozenset({id(asyncio.create_task.__code__), id(asyncio.TaskGroup.create_task.__code__)})

_STANDING = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_AT_ALL_TASKS = frozenset({"all_tasks"})
_PRIMITIVES = frozenset(
    {"asyncio.locks", "asyncio.queues", "asyncio.taskgroups", "asyncio.timeouts"}
)
_PLUMBING = frozenset({
    "asyncio.base_futures", "asyncio.coroutines", "asyncio.events", "asyncio.exceptions",
    "asyncio.futures", "asyncio.mixins",
})  # fmt: skip
_WEAK_SETS = "_weakrefset"
_TASKS = asyncio.tasks.__name__

# All modules that are named here; whatever else decides is in ``harness.history.parts``.
MODULES = _PRIMITIVES | _PLUMBING | {_WEAK_SETS, _TASKS}


class More(NamedTuple):
    """What there is to note as a frame of the program is entered.

    Attributes:
        standing: It stands still between two uses, and goes on where it was.
        lifetime: Why it matters to it when things are freed, or "".
    """

    standing: bool
    lifetime: str


# By the identity of the code, which is kept so that it stays one.
KINDS: dict[int, tuple[CodeType, int, More | None]] = {}


def kind_of(frame: FrameType) -> tuple[CodeType, int, More | None]:
    """Return how all frames with the code of this one are observed."""
    code = frame.f_code
    known = KINDS.get(id(code))
    if known is None:
        kind = _kind_by_module(frame)
        more = _more_of(frame) if kind == PROGRAM else None
        known = KINDS[id(code)] = (code, kind, more)
    return known


def names_a_new_task(frame: FrameType) -> bool:
    """Return True where asyncio names a task that it makes: nobody has seen another name of it."""
    by = frame.f_back
    if _NAMING is None or by is None or by.f_code is not _NAMING.__code__ or by.f_back is None:
        return False
    return frame.f_code is VirtualTask.set_name.__code__ and id(by.f_back.f_code) in _MAKING


def _more_of(frame: FrameType) -> More | None:
    more = More(
        standing=bool(frame.f_code.co_flags & _STANDING),
        lifetime=asks_for_lifetimes(frame.f_code, frame.f_globals),
    )
    return more if any(more) else None


def _kind_by_module(frame: FrameType) -> int:
    code, module = frame.f_code, module_of(frame)
    part = part_of(module)
    if part is Part.LOOP:
        return ANYTHING if code.co_name.startswith("set_") else PASSED
    if part.is_harness:
        return ANYTHING
    if module in _PRIMITIVES or module == _WEAK_SETS:
        return SELF if code.co_varnames[:1] == ("self",) else PASSED
    if module == _TASKS:
        return ANYTHING if code.co_name in _AT_ALL_TASKS else TASKS
    if part is Part.ASYNCIO:
        return PASSED if module in _PLUMBING else ANYTHING
    return PROGRAM
