"""The proof that a step waits for ever, for a lock or a result that only its own loop can give.

The thread of the loop stands in a lock's ``acquire`` then. A lock is given back by a thread. If no
other thread could do it, or if what is waited for is a result that this very loop must bring, the
step cannot return. Where that cannot be shown, nothing is said: a limit of time ends such a step.
"""

from __future__ import annotations

import _thread
import ast
import asyncio
import concurrent.futures
import concurrent.futures.thread
import inspect
import linecache
import queue
import sys
import threading
from contextlib import suppress
from itertools import dropwhile, islice, takewhile
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.classification import is_program
from harness.diagnosis.places import place_of
from harness.processes.below_python import get_ident, original
from harness.processes.pulse import is_pulse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = [
    "FRAMES",
    "Wait",
    "frames_behind",
    "place_of_step",
    "program_frame_of_step",
    "what_never_comes",
]

FRAMES = original(sys._current_frames)
_LOCKS = (type(threading.Lock()), type(threading.RLock()), queue.SimpleQueue)
_FUTURE_WAITS = (
    concurrent.futures.Future.result.__code__,
    concurrent.futures.Future.exception.__code__,
)
# Where a thread of a pool waits for work.
_WORKER = concurrent.futures.thread._worker.__code__
# Methods of locks, and what they are called with if they wait for ever.
_WAITS = frozenset({"acquire", "__enter__", "get"})
# Threads in which only this runs never touch what a program waits for.
_BYSTANDERS = frozenset({"execnet", "pytest_timeout", "xdist", "harness"})
# What takes the place of the functions that a program calls.
_GUARDS = ("harness.processes.", "harness.simulated.guards.", "harness.diagnosis.")
_BELOW = frozenset({"threading", "queue", "concurrent"})
_NOT_FOUND = object()
_CALLERS_MAX = 200


class Wait:
    """A wait that never ends: ``where`` the program waits, for ``what``, on a ``lock`` if known."""

    def __init__(self, what: str, where: str, lock: Any = None) -> None:
        self.what = what
        self.where = where
        self.lock = lock


def what_never_comes(frame: FrameType | None, loop: Any) -> Wait | None:
    """Say what the loop's thread waits for, if it can be shown that it never comes; else None.

    ``frame`` is where the thread stands. It must have stood there for a while, using no CPU time.
    """
    if frame is None:
        return None
    awaited = next((one for one in frames_behind(frame) if one.f_code in _FUTURE_WAITS), None)
    future = None if awaited is None else awaited.f_locals.get("self")
    lock, for_ever = _lock_of(frame)
    where = place_of_step(frame, loop)
    if future is not None and _is_brought_by(loop, future):
        return Wait("a result that only this loop can bring", where, lock)
    if lock is None or not for_ever or _others(frame):
        return None
    if _running_call(loop) is not None:
        what = "what only the loop can give: here an executor's calls run on the loop's own thread"
        return Wait(what, where, lock)
    return Wait(f"{_named(lock)} that no other thread can give", where, lock)


def place_of_step(frame: FrameType, loop: Any) -> str:
    """Name the program's line that waits; of an executor's call without one, who asked for it."""
    shown, call = program_frame_of_step(frame), _running_call(loop)
    if shown is None and call is not None:
        asked = [
            one for one in asyncio.all_tasks(loop) if getattr(one, "_fut_waiter", None) is call
        ]
        return ", ".join(place_in(frames_of(one)) for one in asked) or "a call in an executor"
    shown = shown or frame
    return place_of(shown.f_code, shown.f_lineno)


def program_frame_of_step(frame: FrameType | None) -> FrameType | None:
    """Return the program's frame that runs, None if there is none: a function of C, for example.

    What called the harness is no part of the run. A guard may stand before the program's frame.
    """
    frames = dropwhile(lambda one: _module_of(one).startswith(_GUARDS), frames_behind(frame))
    inside = takewhile(lambda one: _root_of(one) not in {"harness", "simpy"}, frames)
    return next((one for one in inside if is_program(one)), None)


def frames_behind(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that called it, the nearest first."""
    for _ in range(_CALLERS_MAX):
        if frame is None:
            return
        yield frame
        frame = frame.f_back


def _named(lock: Any) -> str:
    return "an item" if isinstance(lock, queue.SimpleQueue) else "a lock"


def _running_call(loop: Any) -> Any:
    """Return the future of the executor's call that runs; None if none does."""
    executors = loop.__dict__.get("executors")
    return None if executors is None or not executors.running else executors.running_call


def _is_brought_by(loop: Any, future: Any) -> bool:
    """Return True if what completes a future is a task or a callback of this loop."""
    for callback in getattr(future, "_done_callbacks", ()):
        if any(_is_of(loop, one) for one in _held_by(callback)):
            return True
    # run_coroutine_threadsafe() has called soon, and the loop had no turn since.
    calls = [handle.call[0] for handle in loop.ready if handle.call is not None]
    return any(one is future for call in calls for one in _held_by(call))


def _is_of(loop: Any, thing: Any) -> bool:
    return thing is loop or (isinstance(thing, asyncio.Future) and thing.get_loop() is loop)


def _held_by(callback: Any) -> Iterator[Any]:
    for cell in getattr(callback, "__closure__", None) or ():
        # A cell may be empty still.
        yield getattr(cell, "cell_contents", None)


def _others(frame: FrameType) -> bool:
    """Return True if the process has another thread that could give what is waited for."""
    own = get_ident()
    for thread, other in FRAMES().items():
        stands_here = any(one is frame for one in frames_behind(other))
        if thread == own or stands_here or is_pulse(thread):
            continue
        if not _stands_by(other):
            return True
    return False


def _stands_by(frame: FrameType) -> bool:
    """Return True for a thread that gives a program nothing, such as an idle one of a pool."""
    if frame.f_code is _WORKER:
        return True
    roots = {_root_of(one) for one in frames_behind(frame)}
    return bool(roots & _BYSTANDERS) and not roots - _BELOW - _BYSTANDERS


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _root_of(frame: FrameType) -> str:
    return _module_of(frame).partition(".")[0]


def _lock_of(frame: FrameType) -> tuple[Any, bool]:
    """Find the lock that a frame waits for, and whether it waits without a limit of time.

    The interpreter keeps neither. Both are read from the text of the call that is under way.
    """
    standing = _expression_of(frame)
    if isinstance(standing, ast.With):
        # Up to CPython 3.11 a ``with`` does not say which of its parts is under way.
        parts = [_value_of(one.context_expr, frame) for one in standing.items]
        taken = [one for one in parts if isinstance(one, _LOCKS) and _is_taken(one)]
        return (taken[-1], True) if taken and len(parts) == len(_locks(parts)) else (None, False)
    for_ever = True
    if isinstance(standing, ast.Call):
        if not isinstance(standing.func, ast.Attribute) or standing.func.attr not in _WAITS:
            return None, False
        for_ever = not standing.keywords and all(
            isinstance(one, ast.Constant) and one.value is True for one in standing.args
        )
        standing = standing.func.value
    found = _value_of(standing, frame)
    if not isinstance(found, _LOCKS) or not _is_taken(found):
        return None, False
    return found, for_ever


def _locks(things: list[Any]) -> list[Any]:
    return [one for one in things if isinstance(one, _LOCKS)]


def _is_taken(lock: Any) -> bool:
    if isinstance(lock, queue.SimpleQueue):
        return lock.empty()
    if isinstance(lock, _thread.LockType):
        return lock.locked()
    # An RLock that this thread has would not keep it waiting.
    return repr(lock).startswith("<locked")


def _expression_of(frame: FrameType) -> ast.expr | ast.With | None:
    """Parse the expression, or the ``with``, at which a frame stands; None without its source."""
    code = frame.f_code
    place = next(islice(code.co_positions(), frame.f_lasti // 2, None), None)
    if place is None or None in place:
        return None
    line, last, begin, end = place
    assert line is not None and last is not None  # noqa: S101, PT018 - for the type checker
    lines = [linecache.getline(code.co_filename, number) for number in range(line, last + 1)]
    if not lines or not lines[0]:
        return None
    # Columns count bytes.
    lines[-1] = lines[-1].encode()[:end].decode(errors="replace")
    lines[0] = lines[0].encode()[begin or 0 :].decode(errors="replace")
    text = "".join(lines)
    with suppress(SyntaxError, ValueError):
        return ast.parse(f"({text})", mode="eval").body
    with suppress(SyntaxError, ValueError):
        statement = ast.parse(text).body[0]
        return statement if isinstance(statement, ast.With) else None
    return None


def _value_of(expression: Any, frame: FrameType) -> Any:
    """Look up what a plain expression stands for, without running any code of the program."""
    match expression:
        case ast.Name(id=name):
            return frame.f_locals.get(name, frame.f_globals.get(name, _NOT_FOUND))
        case ast.Attribute(value=owner, attr=name):
            return _attribute(_value_of(owner, frame), name)
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            return _item(_value_of(owner, frame), key)
        case ast.Subscript(value=owner, slice=ast.Name() as name):
            return _item(_value_of(owner, frame), _value_of(name, frame))
    return _NOT_FOUND


def _attribute(owner: Any, name: str) -> Any:
    if owner is _NOT_FOUND:
        return owner
    found = inspect.getattr_static(owner, name, _NOT_FOUND)
    # A slot's descriptor is written in C: to ask for it runs nothing of the program.
    return found.__get__(owner) if inspect.ismemberdescriptor(found) else found


def _item(owner: Any, key: Any) -> Any:
    if type(owner) not in {dict, list, tuple} or type(key) not in {str, int}:
        return _NOT_FOUND
    try:
        return owner[key]
    except (LookupError, TypeError):
        return _NOT_FOUND
