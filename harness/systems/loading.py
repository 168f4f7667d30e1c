"""How an import path becomes a system under test, or a partner that it talks to."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, HarnessError, Terminated
from harness.processes.apart import doing
from harness.results.wording import one_line
from harness.scenario.model import IMPORT_PATH
from harness.scenario.words import listed, resembling
from harness.systems.imports import file_of, import_module, importing_from_here
from harness.systems.plain_service import PlainService
from harness.systems.port import System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from harness.backends.partner import Partner

__all__ = ["load_partner", "load_system", "reading"]


@importing_from_here(loads=True)
def load_system(path: str) -> System:
    """Import a system: an adapter, or any class with async methods, which is put into one.

    Raises:
        BadInput: The path does not lead to anything of the kind.
    """
    found = _attribute(path)
    if isinstance(found, type):
        with reading(path):
            adapts = all(hasattr(found, name) for name in ("needs_node", "operations", "mistakes"))
            plain = None if adapts else PlainService(found)
        found = plain or found()
    if not isinstance(found, System):
        message = f"must be a class with async methods or an adapter, got {_instead(found)}"
        msg = f'system "{path}": {message}'
        raise BadInput(msg)
    return found


@importing_from_here(loads=True)
def load_partner(path: str) -> Partner:
    """Import a partner of services by its import path.

    Raises:
        BadInput: The path does not lead anywhere.
    """
    partner: Partner = _attribute(path)
    return partner


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Read what a class says of itself: its own code may answer, and raise anything.

    Raises:
        BadInput: It raised, or ended the interpreter.
    """
    try:
        yield
    except (HarnessError, KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:
        message = one_line(f"{type(error).__name__}: {error}")
        raise BadInput(f'system "{path}": cannot be read: {message}; mend it') from error


def _attribute(path: str) -> Any:
    if not IMPORT_PATH.match(path):
        msg = f'system: must be "package.module:attribute", got "{path}"'
        raise BadInput(msg)
    name, _, attribute = path.partition(":")
    doing(f"the import of {name}")
    try:
        module = import_module(name)
    except BadInput as error:
        msg = f'system "{path}": {error}'
        raise BadInput(msg) from error
    found: Any = module
    where = name
    with reading(path):
        for part in attribute.split("."):
            if not hasattr(found, part):
                hint = _hint(part, found, module)
                message = f"{where} has no {part}; {hint}{name} is {file_of(module)}"
                msg = f'system "{path}": {message}'
                raise BadInput(msg)
            found = getattr(found, part)
            where = f"{where}{'.' if ':' in where else ':'}{part}"
    return found


def _hint(part: str, found: Any, module: ModuleType) -> str:
    close = resembling(part, [one for one in dir(found) if not one.startswith("_")])
    if close is not None:
        return f"did you mean {close}? "
    members = inspect.getmembers(module, inspect.isclass)
    classes = [name for name, one in members if one.__module__ == module.__name__]
    return f"its classes: {listed(classes)}; " if classes else ""


def _instead(found: Any) -> str:
    """Say what stands where a class was wanted, and what to name."""
    if inspect.isroutine(found):
        return f"the function {found.__qualname__}; name the class that it makes"
    if inspect.ismodule(found):
        return f"the module {found.__name__}; name a class in it"
    return f"an object of {type(found).__qualname__}; name a class: each run makes one of its own"
