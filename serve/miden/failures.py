"""The exceptions of the service that the failures of a native client become."""

from __future__ import annotations

from typing import Protocol

from serve.errors import (
    AccountNotFound,
    ClientBusy,
    ClientClosed,
    ClientFailed,
    ClientStoreFailed,
    ClientStoreInUse,
    CommandTimedOut,
    DialTimedOut,
    InvalidInput,
    NetworkMismatch,
    NodeRejected,
    NodeUnreachable,
    ServeError,
    SpawnFailed,
)

__all__ = ["NativeFailure", "command_error", "spawn_error"]


class NativeFailure(Protocol):
    """What the native module's ``MidenError`` carries."""

    code: str  # The kind of failure.
    message: str  # What happened, in one line.
    chain: tuple[str, ...]  # The causes' texts, outermost first.


_CLASSES: dict[str, type[ServeError]] = {
    "account_not_found": AccountNotFound,
    "busy": ClientBusy,
    "client_closed": ClientClosed,
    "client_failed": ClientFailed,
    "command_timeout": CommandTimedOut,
    "dial_timeout": DialTimedOut,
    "invalid_input": InvalidInput,
    "network_mismatch": NetworkMismatch,
    "node_rejected": NodeRejected,
    "node_unreachable": NodeUnreachable,
    "store_failed": ClientStoreFailed,
    "store_in_use": ClientStoreInUse,
}
# While a client starts there is no command to time out and no open client to be closed.
_SPAWN_CLASSES: dict[str, type[ServeError]] = _CLASSES | {
    "client_closed": SpawnFailed,
    "client_failed": SpawnFailed,
    "command_timeout": DialTimedOut,
}


def command_error(failure: NativeFailure, *, what: str) -> ServeError:
    """Return the exception for a failed command; raise it ``from`` the failure."""
    return _CLASSES.get(failure.code, ClientFailed)(_text(failure, what))


def spawn_error(failure: NativeFailure, *, what: str) -> ServeError:
    """Return the exception for a failed start; raise it ``from`` the failure."""
    return _SPAWN_CLASSES.get(failure.code, SpawnFailed)(_text(failure, what))


def _text(failure: NativeFailure, what: str) -> str:
    return ": ".join((what, failure.message, *failure.chain))
