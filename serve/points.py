"""Named points of the service, at which a test harness can hold or fail the task that arrives.

A point marks a place where a crash, a cancellation or another task may intervene. In production
there is no hook, and a point costs one look at a context variable. A harness installs a hook for a
run, and with it parks, cancels or fails the arriving task.
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
    "top": ("insert_desk", "mark_open", "settle_desk", "unmark_open"),
}
_READS = {
    "user": (
        "account_kind",
        "check_integrity",
        "find_request",
        "last_sequence",
        "list_account_statuses",
        "list_accounts",
        "list_orders",
        "list_pending",
    ),
    "top": (
        "check_integrity",
        "find_desk",
        "list_creating",
        "list_desks",
        "list_desks_of",
        "list_open",
    ),
}

# ``sql.<db>.<operation>.before_commit`` is reached before a transaction begins, ``after_commit``
# when it is committed and its caller does not know yet. ``execute`` is the work on a thread of the
# store, where no task can be held: it can only fail.
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
    """What happens at points. ``key`` holds the point's ``owner``, if it has one."""

    async def arrive(self, name: str, key: Mapping[str, object]) -> None:
        """Hold the task that arrives, or raise an error in it."""
        ...

    def failure(self, name: str, key: Mapping[str, object]) -> Exception | None:
        """Return the error to raise at a point where no task can be held, or None."""
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
        # Not reset by the variable's token: a run that is torn down is closed in another context.
        _HOOK.set(before)


async def point(name: str, **key: object) -> None:
    """Arrive at a point."""
    hook = _HOOK.get()
    if hook is not None:
        await hook.arrive(name, key)


def failure_at(name: str, **key: object) -> Exception | None:
    """Arrive at a point where no task can be held; return the error to raise, or None."""
    hook = _HOOK.get()
    return None if hook is None else hook.failure(name, key)
