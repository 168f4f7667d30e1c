"""Own the named points of the service: nothing happens at one, unless a hook is installed.

A point is where something could come between: a crash, a cancelled caller, somebody else's turn.
In production there is no hook, and a point costs one look at a context variable. A harness installs
one for a run, and with it parks, cancels or fails whoever arrives.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["POINTS", "Hook", "failure_at", "hooked", "point"]

_WRITES = {
    "user": ("add_pending_account", "begin_order", "fail_order", "succeed_orders"),
    "top": ("insert_desk",),
}
_READS = {
    "user": (
        "account_kind",
        "check_integrity",
        "list_account_statuses",
        "list_accounts",
        "list_orders",
        "list_pending",
    ),
    "top": ("check_integrity", "find_desk", "list_desks", "list_desks_of"),
}

# ``sql.<db>.<operation>.before_commit`` comes ahead of a transaction, ``after_commit`` when it has
# been committed and its caller does not know yet. At ``execute`` SQLite is asked: it can only fail.
POINTS = (
    "spawn.before_build",
    "spawn.before_ready",
    "cache.before_insert",
    "key.before_write",
    "desk.before_cache_insert",
    "shutdown.before_join",
    *(
        f"sql.{database}.{operation}.{moment}"
        for database, operations in _WRITES.items()
        for operation in operations
        for moment in ("before_commit", "execute", "after_commit")
    ),
    *(
        f"sql.{database}.{operation}.execute"
        for database, operations in _READS.items()
        for operation in operations
    ),
)


class Hook(Protocol):
    """What happens at points. ``key`` says whose they are: ``owner``, where there is one."""

    async def arrive(self, name: str, key: Mapping[str, object]) -> None:
        """Hold whoever arrives, or raise what is to go wrong there."""
        ...

    def failure(self, name: str, key: Mapping[str, object]) -> Exception | None:
        """Return what is to go wrong at a point where nobody can be held."""
        ...


_HOOK: ContextVar[Hook | None] = ContextVar("serve_points", default=None)


@contextmanager
def hooked(hook: Hook) -> Iterator[None]:
    """Install a hook for this block and all tasks that are made inside it."""
    before = _HOOK.get()
    _HOOK.set(hook)
    try:
        yield
    finally:
        # Not a token's reset: a run that is torn down is closed in another context.
        _HOOK.set(before)


async def point(name: str, **key: object) -> None:
    """Arrive at a point."""
    hook = _HOOK.get()
    if hook is not None:
        await hook.arrive(name, key)


def failure_at(name: str, **key: object) -> Exception | None:
    """Arrive at a point where nobody can be held; return what is to go wrong, if anything."""
    hook = _HOOK.get()
    return None if hook is None else hook.failure(name, key)
