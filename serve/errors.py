"""The exceptions of the service: one tree under ``ServeError``, distinguished by class."""

from __future__ import annotations

__all__ = [
    "AccountNotFound",
    "BadAddress",
    "BadOrder",
    "BadSecret",
    "ClientBusy",
    "ClientClosed",
    "ClientFailed",
    "ClientStoreFailed",
    "ClientStoreInUse",
    "CloseTimedOut",
    "CommandTimedOut",
    "Conflict",
    "DeadlineExceeded",
    "DeskNotFound",
    "DeskNotRestored",
    "DialTimedOut",
    "DuplicateRecord",
    "InvalidInput",
    "NetworkMismatch",
    "NodeRejected",
    "NodeUnreachable",
    "NotFound",
    "NoteSpent",
    "NoteUnknown",
    "OutcomeUnknown",
    "RecoveryTimedOut",
    "RequestKeyReused",
    "ServeClosed",
    "ServeError",
    "SpawnFailed",
    "SpawnTimedOut",
    "StaleState",
    "StorageInUse",
    "StoragePathNotFound",
    "StoreFailed",
    "TransactionExpired",
    "TransactionRefused",
    "UnsupportedNetwork",
    "UnsupportedOrder",
]


class ServeError(Exception):
    """The root of every error that the service raises on purpose."""


class InvalidInput(ServeError, ValueError):
    """An argument that is wrong at every attempt: a retry does not help."""


class BadAddress(InvalidInput):
    """Text that is not an account address."""


class BadSecret(InvalidInput):
    """A secret that is not 32 bytes, or an owner identifier that is not the Base58 of 32 bytes."""


class BadOrder(InvalidInput):
    """An order whose shape or values are out of range."""


class UnsupportedNetwork(InvalidInput):
    """A network other than Testnet and Localnet."""


class NetworkMismatch(InvalidInput):
    """An address, a store or a node that belongs to another network than the call names."""


class NotFound(ServeError, LookupError):
    """There is nothing of the given name."""


class AccountNotFound(NotFound):
    """The client's store does not hold the account."""


class DeskNotFound(NotFound):
    """No desk has this account."""


class StoragePathNotFound(NotFound):
    """The storage path is not an existing directory."""


class Conflict(ServeError):
    """The thing is already held or taken."""


class StorageInUse(Conflict):
    """Another Serve holds the storage path's lock file."""


class DuplicateRecord(Conflict):
    """A row with this key exists, and rows are never overwritten."""


class RequestKeyReused(Conflict):
    """A request key that belongs to another order of the same user and network."""


class ServeClosed(ServeError):
    """The service takes no more work: it is shutting down, closed, or was never opened."""


class UnsupportedOrder(ServeError):
    """An order of a known kind that this version does not carry out."""


class StoreFailed(ServeError):
    """SQLite, or work on a file, failed in the service's databases."""


class DeskNotRestored(ServeError):
    """A desk's row exists, but its owner's client could not be opened; the next use tries again."""


class ClientFailed(ServeError):
    """A user's blockchain client could not carry out a command, or could not be started."""


class SpawnFailed(ClientFailed):
    """A client could not be started. Nothing of it is kept; the next call starts a new client."""


class ClientBusy(ClientFailed):
    """A client's queue is full, or as many clients run as may. Nothing was begun: try later."""


class ClientClosed(ClientFailed):
    """The client was closed, or died, before it answered."""


class ClientStoreFailed(ClientFailed):
    """The client's store or keystore is unreadable, not this client's, or refused a write."""


class ClientStoreInUse(ClientFailed, Conflict):
    """Another client holds the client directory."""


class NodeUnreachable(ClientFailed):
    """No connection to the node, or it broke."""


class NodeRejected(ClientFailed):
    """The node answered, and refused the request."""


class OutcomeUnknown(ClientFailed):
    """Whether it took effect is not known: find out before it is tried again."""


class TransactionRefused(ClientFailed):
    """A transaction was refused, and has no effect. The subclass says why, where that is known."""


class StaleState(TransactionRefused):
    """It was built on a state of its account that is not the chain's any more."""


class NoteSpent(TransactionRefused):
    """It consumes a note that was consumed before."""


class NoteUnknown(TransactionRefused, NotFound):
    """It consumes a note that nobody has created."""


class TransactionExpired(TransactionRefused):
    """It came after the last block that may hold it."""


class DeadlineExceeded(ClientFailed, TimeoutError):
    """A deadline passed. The subclass says which."""


class DialTimedOut(DeadlineExceeded):
    """The node did not take the connection in time."""


class SpawnTimedOut(DeadlineExceeded):
    """The client did not start in time."""


class RecoveryTimedOut(DeadlineExceeded):
    """What an earlier process left was not decided in time; the next order or sync tries again."""


class CommandTimedOut(DeadlineExceeded, OutcomeUnknown):
    """The client did not answer a command in time; the command may still take effect."""


class CloseTimedOut(DeadlineExceeded):
    """A client did not close in time. Until it has, no client is started on its directory."""
