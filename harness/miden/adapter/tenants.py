"""The watch over tenants: no operation of a user touches what belongs to another user.

Every statement on a user's database passes a point that tells the database's owner, every client
and every command is recorded with its key, and every directory is named after its owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.choices.points import OPERATION
from serve.domain.address import Network, Owner, owner_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from harness.history.records import ClientRecord, Command, History
    from serve.points import Hook

__all__ = ["TenantWatch"]

# What lies beside the users' directories: the desks' database with its log, and the lock.
SHARED = ("mosaic_top.sqlite3", ".mosaic.lock")


class TenantWatch:
    """A hook for ``serve.points`` that passes all on to ``inner``, and looks at whose it is.

    ``secrets`` are those of all users, ``user_of`` names the user of an owner.
    """

    def __init__(
        self, inner: Hook, *, secrets: Iterable[bytes], user_of: Callable[[Owner], str]
    ) -> None:
        self._inner = inner
        self._user_of = user_of
        self._directories = {
            f"{network.directory_prefix}_{owner_identifier(secret)}"
            for secret in secrets
            for network in Network
        }
        self._trespasses: dict[str, None] = {}

    async def arrive(self, name: str, key: Mapping[str, object]) -> None:
        """Look, then do what the inner hook does."""
        self._look(name, key)
        await self._inner.arrive(name, key)

    def failure(self, name: str, key: Mapping[str, object]) -> Exception | None:
        """Look, then answer as the inner hook."""
        self._look(name, key)
        return self._inner.failure(name, key)

    def found(self, history: History, root: Path) -> list[str]:
        """Tell what operations touched of other users, and whose directories are nobody's."""
        doers = {one.number: one for one in history.operations if one.user is not None}
        touched: list[tuple[str, ClientRecord | Command]] = [
            *(("spawn", client) for client in history.clients),
            *((command.name, command) for command in history.commands),
        ]
        for what, one in touched:
            doer = doers.get(-1 if one.operation is None else one.operation)
            if doer is not None and one.key.get("user") != doer.user:
                whose = " on ".join(one.key.values())
                self._note(doer.step, doer.user or "-", f"{what} of {whose}")
        return [*self._trespasses, *self._strange(root)]

    def _look(self, name: str, key: Mapping[str, object]) -> None:
        owner, running = key.get("owner"), OPERATION.get()
        if isinstance(owner, Owner) and running is not None and running.user is not None:
            whose = self._user_of(owner)
            if whose != running.user:
                self._note(running.step, running.user, f"{name} of {whose} on {owner.network}")

    def _note(self, step: str, user: str, what: str) -> None:
        self._trespasses[f"tenants: {step} of {user} did {what}"] = None

    def _strange(self, root: Path) -> list[str]:
        return [
            f"tenants: {path.name} belongs to no user"
            for path in sorted(root.iterdir())
            if path.name not in self._directories and not path.name.startswith(SHARED)
        ]
