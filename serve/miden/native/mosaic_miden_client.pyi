"""Real Miden clients on threads of their own, answering through a descriptor.

A command returns a ``Ticket`` at once; its answer comes out of ``Mailbox.drain()`` under the
ticket's id. Nothing here waits, except ``Client.join``, which does so without the GIL.
Account ids are ``0x`` and 30 hex digits. Anything wrong with an argument raises ``MidenError``
with the code ``invalid_input`` at once.
"""

from os import PathLike
from typing import Literal, TypedDict, final

__version__: str

StorageModeName = Literal["private", "public"]
KeySchemeName = Literal["falcon", "ecdsa"]
NetworkName = Literal["testnet", "localnet"]
Code = Literal[
    "invalid_input",
    "network_mismatch",
    "account_not_found",
    "store_failed",
    "store_in_use",
    "node_unreachable",
    "node_rejected",
    "dial_timeout",
    "command_timeout",
    "client_closed",
    "busy",
    "client_failed",
]

# Seconds from submission to begin, from begin to end, of CPU of the client's thread (its store's
# threads are not counted), and in which a request to the node was under way.
CommandTimes = tuple[float, float, float, float]

class NodeStatus(TypedDict):
    """What the node says of itself. ``genesis_commitment`` is ``0x`` and 64 hex digits."""

    version: str
    genesis_commitment: str
    chain_tip: int

class SyncSummary(TypedDict):
    """What a sync brought; notes, accounts and transactions as hex ids."""

    block_number: int
    new_public_notes: tuple[str, ...]
    committed_notes: tuple[str, ...]
    consumed_notes: tuple[str, ...]
    updated_accounts: tuple[str, ...]
    locked_accounts: tuple[str, ...]
    committed_transactions: tuple[str, ...]

class Account(TypedDict):
    """One account as the store holds it."""

    account_id: str
    storage_mode: StorageModeName
    state: Literal["new", "tracked", "locked"]
    nonce: int

class Asset(TypedDict):
    """A fungible asset; ``amount`` in base units."""

    faucet: str
    amount: int

class AccountStatus(Account):
    """One account with its fungible assets, by faucet."""

    assets: tuple[Asset, ...]

class MidenError(Exception):
    """A client's failure. ``chain``: the causes' texts, outermost first, one line each."""

    code: Code
    message: str
    chain: tuple[str, ...]

@final
class Mailbox:
    """Where clients leave their answers; one for each event loop. Takes two descriptors."""

    def __new__(cls) -> Mailbox: ...
    def fileno(self) -> int:
        """Give the descriptor that is readable while answers wait; the mailbox owns it."""
    def drain(self) -> list[tuple[int, object, MidenError | None, CommandTimes | None]]:
        """Take all answers, oldest first: ticket id, value, error, times. Never waits.

        The times are None for a command that was never begun.
        """

@final
class Ticket:
    """A command on its way."""

    @property
    def id(self) -> int:
        """The number under which the mailbox delivers the answer; unique in its mailbox."""
    def cancel(self) -> bool:
        """Take the command back unless it has begun; True if it will not run.

        A command that was taken back is answered all the same: with None, when its turn comes.
        """

@final
class Hold:
    """Keeps a client in front of a command until it is released or dropped."""

    def release(self) -> None:
        """Let the client go on with the command. No effect the second time."""

@final
class Client:
    """One Miden client on an OS thread of its own; commands run one at a time, in order.

    Dropping the last reference closes it without waiting. Every command raises ``MidenError`` at
    once: ``client_closed`` if no more commands are taken, ``busy`` if the queue is full.
    """

    @staticmethod
    def open(
        mailbox: Mailbox,
        directory: str | PathLike[str],
        endpoint: str,
        network: NetworkName,
        *,
        dial_timeout_s: float,
        request_timeout_s: float,
        sync_timeout_s: float,
        queue_length_max: int,
    ) -> tuple[Client, Ticket]:
        """Start a client on its directory. Answer: None, once it is open.

        A store that knows its genesis is opened without a request; a new one dials the node.
        """
    @property
    def closed(self) -> bool:
        """True once no more commands are taken: closed, killed, dead, or never opened."""
    def node_status(self, mailbox: Mailbox) -> Ticket:
        """Ask the node for its status. Answer: ``NodeStatus``."""
    def sync(self, mailbox: Mailbox) -> Ticket:
        """Bring the store to the chain's tip. Answer: ``SyncSummary``."""
    def prepare_wallet(
        self, mailbox: Mailbox, storage_mode: StorageModeName, key_scheme: KeySchemeName
    ) -> Ticket:
        """Build a wallet and put its key on disk, durably; nobody sees it yet. Answer: its id."""
    def prepare_faucet(
        self,
        mailbox: Mailbox,
        symbol: str,
        decimals: int,
        max_supply: int,
        storage_mode: StorageModeName,
        key_scheme: KeySchemeName,
    ) -> Ticket:
        """Build a fungible faucet and put its key on disk, durably. Answer: its id.

        ``symbol``: 1 to 6 letters A-Z. ``decimals``: 0 to 12. ``max_supply``: 1 to 2^63 - 2^31.
        """
    def add_account(self, mailbox: Mailbox, account_id: str) -> Ticket:
        """Make a prepared account visible in the store; no effect if it is. Answer: None."""
    def create_wallet(
        self, mailbox: Mailbox, storage_mode: StorageModeName, key_scheme: KeySchemeName
    ) -> Ticket:
        """Prepare and add a wallet in one command. Answer: its id."""
    def create_faucet(
        self,
        mailbox: Mailbox,
        symbol: str,
        decimals: int,
        max_supply: int,
        storage_mode: StorageModeName,
        key_scheme: KeySchemeName,
    ) -> Ticket:
        """Prepare and add a fungible faucet in one command. Answer: its id."""
    def list_accounts(self, mailbox: Mailbox) -> Ticket:
        """List the store's accounts, by id. Answer: a tuple of ``Account``."""
    def get_account(self, mailbox: Mailbox, account_id: str) -> Ticket:
        """Read one account. Answer: ``Account``, or None."""
    def get_account_status(self, mailbox: Mailbox, account_id: str) -> Ticket:
        """Read one account with its fungible assets. Answer: ``AccountStatus``."""
    def close(self, mailbox: Mailbox) -> Ticket:
        """Refuse later commands and run the queued ones. Answer: None, at the thread's end."""
    def kill(self) -> None:
        """End the client without draining, for tests and emergencies; what waits hears of it.

        The thread ends where its command next waits for the node or the disk. ``closed`` is True
        at once; waiting commands are answered ``client_closed`` when the directory is free again.
        """
    def hold_next(self, mailbox: Mailbox) -> tuple[Hold, Ticket]:
        """Let the next command stop when its turn has come, before it does anything; for tests.

        Answer: None, once the client stands still there.
        """
    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end without the GIL; False if the time is up first."""

def encode_address(account_id: str, network: NetworkName) -> str:
    """Write an account's address as the Miden library does, for the network asked for."""
