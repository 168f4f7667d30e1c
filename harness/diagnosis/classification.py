"""The part that a frame or a code object plays in a run, by the name of its module."""

from __future__ import annotations

import sys
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.history.parts import Part, part_of

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["is_asyncio", "is_machinery", "is_program", "module_of", "part_of_code", "part_of_frame"]

# The file name of code that was compiled from a text, a dataclass's ``__init__`` say: it runs with
# the globals of a module, but stands in no module's source.
_FROM_TEXT = "<string>"


def module_of(frame: FrameType) -> str:
    """Return the name of the module whose source a frame runs; "" for code without a module."""
    return "" if frame.f_code.co_filename == _FROM_TEXT else _named(frame.f_globals)


def part_of_frame(frame: FrameType) -> Part:
    """Return the part that a frame plays; code without a module is the program's."""
    return part_of(module_of(frame))


def part_of_code(code: CodeType) -> Part:
    """Return the part of code that is no longer in a frame; ``part_of_frame`` is faster."""
    return part_of(_module_of_file(code.co_filename))


def is_program(frame: FrameType) -> bool:
    """Return True for a frame of the system under test: not of Python, and not of the harness."""
    return part_of(module_of(frame)) is Part.PROGRAM


def is_asyncio(frame: FrameType) -> bool:
    """Return True for a frame of asyncio itself."""
    return part_of(module_of(frame)) is Part.ASYNCIO


def is_machinery(frame: FrameType) -> bool:
    """Return True for what stands between a program and its lock: asyncio, and the ledgers."""
    return part_of(module_of(frame)).is_machinery


def _named(variables: dict[str, Any]) -> str:
    """Return the full name of the module with these globals, also of one that is run."""
    name = variables.get("__name__")
    if name == "__main__":
        # ``python -m`` says which module it runs. A script has no other name.
        spec = variables.get("__spec__")
        return "" if spec is None else str(spec.name)
    return name if isinstance(name, str) else ""


@lru_cache(maxsize=4096)
def _module_of_file(filename: str) -> str:
    """Find the imported module that was compiled from a file; "" if there is none."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            # Not vars(module), which would load a module that waits to be loaded.
            variables = object.__getattribute__(module, "__dict__")
            if variables.get("__file__") == filename:
                return _named(variables)
    return ""
