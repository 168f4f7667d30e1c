"""Names of places in a program, and of things that lie in its variables."""

from __future__ import annotations

import asyncio
import enum
import linecache
import re
import sys
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.diagnosis.classification import is_machinery, is_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FrameType

__all__ = [
    "await_at",
    "callers",
    "line_at",
    "name_of",
    "place_of",
    "program_frame",
    "reaches",
    "running_place",
]

# A registry may hold a lock for each of very many keys: after this many, its name is enough.
_ENTRIES_MAX = 10_000
_CALLERS_MAX = 12
# An await's source text is shown up to this length; a longer call without its arguments.
_AWAIT_LENGTH_MAX = 60


def place_of(code: CodeType, line: int | None) -> str:
    """Return ``path:line in function``, the path as seen from where Python imports."""
    return f"{_short(code.co_filename)}:{line or code.co_firstlineno} in {code.co_qualname}"


def line_at(code: CodeType, instruction: int) -> int | None:
    """Return the line of an instruction (an offset in bytes, as in ``f_lasti``)."""
    lines = code.co_lines()
    return next((line for begin, end, line in lines if begin <= instruction < end), None)


@lru_cache(maxsize=1024)
def await_at(code: CodeType, instruction: int) -> str:
    """Return the source text of the await at an instruction, and its place.

    Without the source, the place alone.
    """
    line, last, begin, end = next(
        islice(code.co_positions(), instruction // 2, None), (None, None, None, None)
    )
    place = f"{_short(code.co_filename)}:{line or code.co_firstlineno}"
    if line is None:
        return place
    lines = [linecache.getline(code.co_filename, number) for number in range(line, last or line)]
    lines.append(linecache.getline(code.co_filename, last or line))
    # Columns count bytes.
    lines[-1] = lines[-1].encode()[:end].decode(errors="replace")
    lines[0] = lines[0].encode()[begin or 0 :].decode(errors="replace")
    text = re.sub(r"(?<=[(\[{]) | (?=[)\]}])", "", " ".join("".join(lines).split()))
    if len(text) > _AWAIT_LENGTH_MAX:
        text = re.sub(r"\(.*\)$", "(...)", text)
    return f"`{text[:_AWAIT_LENGTH_MAX]}` at {place}" if text else place


@lru_cache(maxsize=4096)
def _short(filename: str) -> str:
    path = Path(filename)
    # Longest first: an installed package is below the project's folder, too, if its venv is.
    folders = sorted({str(Path.cwd()), *filter(None, sys.path)}, key=len, reverse=True)
    for folder in folders:
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return filename


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a running frame and those that called it, the nearest first, without the machinery."""
    for _ in range(_CALLERS_MAX):
        if frame is None:
            return
        if not is_machinery(frame):
            yield frame
        frame = frame.f_back


def program_frame(frame: FrameType | None) -> FrameType | None:
    """Find the program's frame nearest to a running one, itself or a caller; None if none is."""
    while frame is not None and not is_program(frame):
        frame = frame.f_back
    return frame


def running_place(frame: FrameType | None) -> str | None:
    """Name the program's line that runs, or the frame's own if no line is the program's.

    None without a frame.
    """
    shown = program_frame(frame) or frame
    return None if shown is None else place_of(shown.f_code, shown.f_lineno)


def name_of(thing: object, frames: Iterable[FrameType]) -> str | None:
    """Name a thing by where frames hold it, nearest first: ``Serve._lock``, ``locks['ann']``.

    An attribute of the frame's ``self`` goes before a global, and a global before a local, because
    two tasks may call one thing by two local names, or two things by one.
    """
    frames = [frame for frame in frames if not is_machinery(frame)]
    return (
        next(filter(None, (_attribute(thing, frame) for frame in frames)), None)
        or next(filter(None, (_global(thing, frame) for frame in frames)), None)
        or next(filter(None, (_local(thing, frame) for frame in frames)), None)
    )


def reaches(frame: FrameType, thing: object) -> bool:
    """Return True if a frame has the thing in a variable, or in an attribute of its ``self``."""
    return _local(thing, frame) is not None or _attribute(thing, frame) is not None


def _attribute(thing: object, frame: FrameType) -> str | None:
    code = frame.f_code
    if not code.co_argcount:
        return None
    owner = frame.f_locals.get(code.co_varnames[0])
    if owner is None or isinstance(owner, type) or code.co_varnames[0] not in {"self", "cls"}:
        return None
    found = _among(thing, _attributes(owner))
    return None if found is None else f"{type(owner).__name__}.{found}"


def _attributes(owner: object) -> Iterator[tuple[str, Any]]:
    yield from list(getattr(owner, "__dict__", {}).items())
    for kind in type(owner).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in {"__dict__", "__weakref__"} and hasattr(owner, slot):
                yield slot, getattr(owner, slot)


def _global(thing: object, frame: FrameType) -> str | None:
    found = _among(thing, frame.f_globals.items())
    module = str(frame.f_globals.get("__name__", "")).rpartition(".")[2]
    return None if found is None else f"{module}.{found}"


def _local(thing: object, frame: FrameType) -> str | None:
    found = _among(thing, frame.f_locals.items())
    return None if found is None else f"{found} (of {frame.f_code.co_qualname})"


def _among(thing: object, variables: Iterable[tuple[str, Any]]) -> str | None:
    for name, value in list(variables):
        if _is(value, thing):
            return name
        if type(value) is dict and len(value) <= _ENTRIES_MAX:
            for key, entry in value.items():
                if _is(entry, thing):
                    return f"{name}[{_key(key)}]"
        elif type(value) in {list, tuple} and len(value) <= _ENTRIES_MAX:
            for index, entry in enumerate(value):
                if _is(entry, thing):
                    return f"{name}[{index}]"
        elif _holds(value, thing):
            inner = next(key for key, entry in _attributes(value) if _is(entry, thing))
            return f"{name}.{inner}"
    return None


def _key(key: object) -> str:
    """Write a key; of an object of the program its class only.

    Its own text may hold an address, which each run has anew, or fail while it is half made.
    """
    if isinstance(key, (str, bytes, int, float, tuple, enum.Enum)):
        with suppress(Exception):
            return repr(key)
    return f"a {type(key).__name__}"


def _holds(value: object, thing: object) -> bool:
    """Return True if a plain object of the program has the thing as an attribute."""
    module = type(value).__module__
    if module in {"builtins", "asyncio"} or isinstance(value, (type, asyncio.Task)):
        return False
    return any(_is(entry, thing) for entry in getattr(value, "__dict__", {}).values())


def _is(value: object, thing: object) -> bool:
    """Return True for the thing itself, and for a condition whose lock it is."""
    return value is thing or (
        isinstance(value, asyncio.Condition) and getattr(value, "_lock", None) is thing
    )
