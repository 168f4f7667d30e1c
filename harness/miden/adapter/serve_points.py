"""The hook at the serve core's points: a scenario's parks, faults and cancellations."""

from __future__ import annotations

import difflib
import sqlite3
from typing import TYPE_CHECKING

from harness.choices.points import ClientDies, plain_name
from serve.clients.port import COMMANDS
from serve.domain.address import Owner
from serve.points import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.choices.points import Interception
    from harness.miden.adapter.recorded_clients import RecordedClientFactory

__all__ = ["ServePoints", "point_mistake"]

# Only a command stops inside its client, and only a client that runs is closed.
MOMENTS = {
    "spawn": ("before", "after"),
    **dict.fromkeys(COMMANDS, ("before", "inside", "after")),
    "close": ("before", "after"),
}
# What chaos may do at the service's points. Nothing outside the service answers there, so nothing
# hangs, except while a client starts, which has a deadline.
STARTING = ("spawn.before_build", "spawn.before_ready")
STARTING_KINDS = ("fail", "hang")
KINDS = ("fail",)
# Only an orderly shutdown proves anything by its end, so only a scenario's faults strike there.
SPARED = ("shutdown.before_join",)


class ServePoints:
    """A hook for ``serve.points``: tells the interception whose point was reached.

    At a point of the store SQLite's error says that the database is locked, unless a fault names
    another error. A fault of kind "die" ends the client of the point's owner.
    """

    def __init__(
        self,
        interception: Interception,
        *,
        clients: RecordedClientFactory,
        user_of: Callable[[Owner], str],
    ) -> None:
        self._interception = interception
        self._clients = clients
        self._user_of = user_of

    async def arrive(self, name: str, key: Mapping[str, object]) -> None:
        """Be parked, cancelled, failed or held for ever, as the run decides."""
        whose = self._whose(key)
        kinds = () if name in SPARED else STARTING_KINDS if name in STARTING else KINDS
        error = "StoreFailed" if name.startswith("sql.") else None
        try:
            await self._interception.reach(name, whose, error=error, kinds=kinds)
        except ClientDies:
            self._clients.kill(whose)

    def failure(self, name: str, key: Mapping[str, object]) -> Exception | None:
        """Return the error with which the store is to fail, or None."""
        locked = sqlite3.OperationalError("database is locked")
        return self._interception.failure_at(name, self._whose(key), otherwise=locked)

    def _whose(self, key: Mapping[str, object]) -> dict[str, str]:
        owner = key.get("owner")
        if not isinstance(owner, Owner):
            return {}
        return {"user": self._user_of(owner), "network": owner.network.value}


def point_mistake(point: str, *, where: str, what: str) -> str | None:
    """Say what is wrong with a point of a scenario, or return None.

    ``what`` shall happen there: "park", "cancel", or the kind of a fault. No task can be held
    inside SQLite, and no command fails inside its client but by itself.
    """
    name = plain_name(point)
    command, _, moment = name.partition(".")
    if moment in MOMENTS.get(command, ()):
        if moment == "inside" and what == "fail":
            return f'{where}: nothing fails at "{point}"; let it fail at .before or .after'
        return None
    if name in POINTS:
        if what == "fail" or not name.endswith(".execute"):
            return None
        return f'{where}: "{point}" can only fail; {what} at a point beside it'
    return f"{where}: {_unknown(point, name, command, moment)}"


def _unknown(point: str, name: str, command: str, moment: str) -> str:
    """Say that there is no such point, and which there are."""
    close = difflib.get_close_matches(name, (*POINTS, *_client_points()), n=1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    commands = ", ".join(MOMENTS)
    if command in MOMENTS and moment == "inside":
        return f'"{command}" has no .inside; known: {", ".join(MOMENTS[command])}'
    if moment in ("before", "inside", "after", "after_remote"):
        return f'no client has a "{command}"; {hint}known: {commands}'
    return (
        f'no point "{point}"; {hint}known: .before, .inside and .after of {commands};'
        f" {', '.join(POINTS)}"
    )


def _client_points() -> tuple[str, ...]:
    return tuple(f"{name}.{moment}" for name, moments in MOMENTS.items() for moment in moments)
