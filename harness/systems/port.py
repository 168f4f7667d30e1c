"""The port of a system under test: what the harness needs of it, and what it is opened with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from harness.choices.points import Interception
    from harness.history.recorder import Recorder
    from harness.history.records import NodeKind
    from harness.scenario.model import Scenario, User

__all__ = ["DEFAULT_SYSTEM", "Environment", "Session", "System"]

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
        """Find what the scenario asks of the system that it does not have, settings included.

        Each is a line that begins with its place in the file, such as ``settings.capacity:``.
        """
        ...

    def open(self, environment: Environment) -> AbstractAsyncContextManager[Session]:
        """Open the system; leaving the context closes it in order."""
        ...
