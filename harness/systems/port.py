"""Own what the harness needs of a system under test, and how an import path becomes one."""

from __future__ import annotations

import difflib
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from harness.errors import BadInput
from harness.scenario.model import IMPORT_PATH

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractAsyncContextManager

    from harness.choices.points import Interception
    from harness.history.recorder import Recorder
    from harness.history.records import NodeKind
    from harness.scenario.model import Scenario, User

__all__ = ["DEFAULT_SYSTEM", "Environment", "Session", "System", "load_system"]

DEFAULT_SYSTEM = "harness.systems.serve_core:serve_core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a system is opened with.

    ``directory`` exists, is empty at first and survives a restart. ``clients`` starts clients of
    the node, simulated or real; it is None for a system that needs no node. ``settings`` and
    ``users`` are the scenario's.
    """

    directory: Path
    node: NodeKind
    clients: Any
    settings: dict[str, Any]
    users: tuple[User, ...]
    recorder: Recorder
    interception: Interception


class Session(Protocol):
    """An open system.

    It may also have ``conditions() -> Mapping[str, Callable[[], object]]``: functions, by the names
    that its system lists in ``conditions``, which return True, or False or a text that says why
    not. They are called at any moment, so they only look.
    """

    async def call(self, operation: str, user: User | None, arguments: dict[str, Any]) -> Any:
        """Carry out one operation for a user and return its result."""
        ...

    async def audit(self) -> Sequence[str] | None:
        """Look at the system once all is quiet: the problems found, or None without an audit."""
        ...


@runtime_checkable
class System(Protocol):
    """A service as the harness sees it. Adapters implement this; the service itself need not."""

    @property
    def needs_node(self) -> bool:
        """Whether it wants clients of a node, and so a container when live."""
        ...

    @property
    def operations(self) -> Collection[str]:
        """The names of all that can be called."""
        ...

    def mistakes(self, scenario: Scenario) -> list[str]:
        """Find what the scenario asks of the system that it does not have."""
        ...

    def open(self, environment: Environment) -> AbstractAsyncContextManager[Session]:
        """Open the system; leaving the context closes it in order."""
        ...


def load_system(path: str) -> System:
    """Import a system: an adapter, or any class with async methods, which is put into one.

    Raises:
        BadInput: The path does not lead to anything of the kind.
    """
    from harness.systems.plain_service import PlainService  # noqa: PLC0415 - avoids a ring

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
    if isinstance(found, type):
        adapts = all(hasattr(found, name) for name in ("needs_node", "operations", "mistakes"))
        found = found() if adapts else PlainService(found)
    if not isinstance(found, System):
        msg = f'system "{path}": must be a class with async methods or a System, got {found!r}'
        raise BadInput(msg)
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
