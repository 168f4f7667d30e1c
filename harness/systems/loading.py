"""How an import path becomes a system under test, or a partner that it talks to."""

from __future__ import annotations

import difflib
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.scenario.model import IMPORT_PATH
from harness.systems.plain_service import PlainService
from harness.systems.port import System

if TYPE_CHECKING:
    from harness.backends.partner import Partner

__all__ = ["load_partner", "load_system"]


def load_system(path: str) -> System:
    """Import a system: an adapter, or any class with async methods, which is put into one.

    Raises:
        BadInput: The path does not lead to anything of the kind.
    """
    found = _attribute(path)
    if isinstance(found, type):
        adapts = all(hasattr(found, name) for name in ("needs_node", "operations", "mistakes"))
        found = found() if adapts else PlainService(found)
    if not isinstance(found, System):
        msg = f'system "{path}": must be a class with async methods or a System, got {found!r}'
        raise BadInput(msg)
    return found


def load_partner(path: str) -> Partner:
    """Import a partner of services by its import path.

    Raises:
        BadInput: The path does not lead anywhere.
    """
    partner: Partner = _attribute(path)
    return partner


def _attribute(path: str) -> Any:
    if not IMPORT_PATH.match(path):
        msg = f'system: must be "package.module:attribute", got "{path}"'
        raise BadInput(msg)
    module_name, _, attribute = path.partition(":")
    found: Any = _module(module_name, path)
    where = module_name
    for part in attribute.split("."):
        if not hasattr(found, part):
            names = sorted(name for name in vars(found) if not name.startswith("_"))
            close = difflib.get_close_matches(part, names, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            msg = f'system "{path}": {where} has no {part}{hint}'
            raise BadInput(msg)
        found = getattr(found, part)
        where = f"{where}{'.' if ':' in where else ':'}{part}"
    return found


def _module(name: str, path: str) -> Any:
    # As with "python -m": a service in the current folder is found without installing it.
    here = str(Path.cwd())
    added = here not in sys.path
    if added:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f'system "{path}": {name} cannot be imported: {error}; is it installed?'
        raise BadInput(msg) from error
    except Exception as error:
        msg = f'system "{path}": importing {name} failed: {type(error).__name__}: {error}'
        raise BadInput(msg) from error
    finally:
        if added:
            sys.path.remove(here)
