"""The real client: the port's commands, carried out on a native client's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serve.clients.port import Client
from serve.domain.account_specs import AccountSpec, FaucetSpec, StorageMode
from serve.domain.address import AccountId
from serve.domain.client_values import (
    AccountState,
    Asset,
    ClientAccount,
    ClientAccountStatus,
    NodeStatus,
    SyncSummary,
)
from serve.miden.failures import command_error
from serve.miden.native_module import load

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    import mosaic_miden_client as native

    from serve.miden.mailbox import Mailboxes

__all__ = ["MidenClient", "MidenHold"]


class MidenHold:
    """A stop of a client in front of a command, made by ``MidenClient.hold_next``."""

    def __init__(self, hold: native.Hold, stopped: asyncio.Future[None], *, where: str) -> None:
        self._hold = hold
        self._stopped = stopped
        self._where = where

    async def begun(self) -> None:
        """Wait until the client stands still.

        Raises:
            ClientClosed: The command was refused, taken back, or the client has ended.
        """
        try:
            await self._stopped
        except load().MidenError as failure:
            raise command_error(failure, what=f"{self._where}: hold") from failure

    def release(self) -> None:
        """Let the client go on with the command; without effect the second time."""
        self._hold.release()


class MidenClient(Client):
    """A user's real Miden client, made by ``MidenClientFactory.spawn``.

    Each command raises a ``ClientFailed`` or ``InvalidInput``, whose ``__cause__`` is the native
    ``MidenError``: its ``chain`` holds the text of every cause, outermost first.
    """

    def __init__(self, client: native.Client, *, mailboxes: Mailboxes, where: str) -> None:
        self._client = client
        self._mailboxes = mailboxes
        self._where = where
        self._miden_error = load().MidenError

    def __repr__(self) -> str:
        return f"<MidenClient {self._where}{' closed' if self.closed else ''}>"

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands: it was closed or killed, or it died."""
        return bool(self._client.closed)

    async def create_account(self, spec: AccountSpec) -> AccountId:
        """Prepare and add an account in one command, for callers that keep no rows."""
        return await self._build("create", spec)

    async def close(self) -> None:
        """Finish the commands already taken, refuse later ones, release the store; idempotent."""
        mailbox = self._mailboxes.of_running_loop()
        await mailbox.answer(self._client.close(mailbox.native))

    def kill(self) -> None:
        """End the client at once, without finishing what it was given; idempotent.

        ``closed`` is True at once. The thread ends where its command next waits for the node or the
        disk. Then the directory is free, and waiting commands raise ``ClientClosed``.
        """
        self._client.kill()

    def hold_next(self) -> MidenHold:
        """Let the next command stop on the client's thread, before it does anything; for tests.

        It has begun then: those behind it wait, and it is not taken back when its caller leaves.
        Whoever asks for this must await ``begun``.
        """
        mailbox = self._mailboxes.of_running_loop()
        hold, ticket = self._client.hold_next(mailbox.native)
        return MidenHold(hold, mailbox.expect(ticket), where=self._where)

    async def _call(self, name: str, *arguments: Any) -> Any:
        if name == "prepare_account":
            return await self._build("prepare", *arguments)
        return _ANSWERS[name](await self._ask(name, *(account.hex for account in arguments)))

    async def _build(self, verb: str, spec: AccountSpec) -> AccountId:
        modes = (spec.storage_mode.value, spec.key_scheme.value)
        if isinstance(spec, FaucetSpec):
            token = (spec.symbol, spec.decimals, spec.max_supply)
            return AccountId.from_hex(await self._ask(f"{verb}_faucet", *token, *modes))
        return AccountId.from_hex(await self._ask(f"{verb}_wallet", *modes))

    async def _ask(self, command: str, *arguments: object) -> Any:
        mailbox = self._mailboxes.of_running_loop()
        submit: Callable[..., native.Ticket] = getattr(self._client, command)
        try:
            return await mailbox.answer(submit(mailbox.native, *arguments))
        except self._miden_error as failure:
            raise command_error(failure, what=f"{self._where}: {command}") from failure


def _summary(row: dict[str, Any]) -> SyncSummary:
    for accounts in ("updated_accounts", "locked_accounts"):
        row[accounts] = tuple(map(AccountId.from_hex, row[accounts]))
    return SyncSummary(**row)


def _account(row: native.Account) -> ClientAccount:
    return ClientAccount(**_common(row), nonce=row["nonce"])


def _status(row: native.AccountStatus) -> ClientAccountStatus:
    assets = tuple(
        Asset(faucet=AccountId.from_hex(asset["faucet"]), amount=asset["amount"])
        for asset in row["assets"]
    )
    return ClientAccountStatus(**_common(row), assets=assets)


def _common(row: native.Account) -> dict[str, Any]:
    return {
        "account_id": AccountId.from_hex(row["account_id"]),
        "storage_mode": StorageMode(row["storage_mode"]),
        "state": AccountState(row["state"]),
    }


# What becomes of the native answer to each command; the arguments of all of these are account ids.
_ANSWERS: dict[str, Callable[[Any], Any]] = {
    "node_status": lambda row: NodeStatus(**row),
    "list_accounts": lambda rows: tuple(map(_account, rows)),
    "get_account": lambda row: None if row is None else _account(row),
    "get_account_status": _status,
    "sync": _summary,
    "add_account": lambda _: None,
}
