"""The factory of real clients: their nodes and time limits, one client for each directory."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from serve.domain.address import Network
from serve.errors import InvalidInput, UnsupportedNetwork
from serve.miden.client import MidenClient
from serve.miden.failures import spawn_error
from serve.miden.mailbox import Mailbox, Mailboxes
from serve.miden.native_module import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import mosaic_miden_client as native

__all__ = ["DEFAULT_ENDPOINTS", "MidenClientFactory"]

DEFAULT_ENDPOINTS: Mapping[Network, str] = {
    Network.TESTNET: "https://rpc.testnet.miden.io",
    Network.LOCALNET: "http://127.0.0.1:57291",
}

# A killed thread ends in milliseconds, unless it is generating a key (0.5 s).
_RELEASE_TIMEOUT_S = 5.0


class MidenClientFactory:
    """Starts real Miden clients, each on a separate OS thread and directory.

    Arguments:
        endpoints: The node of each network, as ``http://host:port`` or ``https://host``.
        request_timeout_s: For one request to the node, its connection included.
        sync_timeout_s: For a whole sync, which is many requests.
        queue_length_max: How many commands may wait in a client; further ones raise ClientBusy.
            The attribute of this name holds for clients that start after it was set.

    Raises:
        ModuleNotFoundError: The native extension is not installed.
        InvalidInput: A number that is not above 0.
    """

    def __init__(
        self,
        endpoints: Mapping[Network, str] | None = None,
        request_timeout_s: float = 10.0,
        *,
        sync_timeout_s: float = 60.0,
        queue_length_max: int = 1024,
    ) -> None:
        self._native = load()
        self._endpoints = dict(DEFAULT_ENDPOINTS if endpoints is None else endpoints)
        self._request_timeout_s = _above_zero("request_timeout_s", request_timeout_s)
        self._sync_timeout_s = _above_zero("sync_timeout_s", sync_timeout_s)
        if queue_length_max < 1:
            raise InvalidInput(f"queue_length_max must be >= 1, got {queue_length_max}")
        self.queue_length_max = queue_length_max
        self._mailboxes = Mailboxes()
        self._latest: WeakValueDictionary[Path, MidenClient] = WeakValueDictionary()

    async def spawn(
        self, directory: Path, network: Network, *, dial_timeout_s: float
    ) -> MidenClient:
        """Start a client; see ``serve.clients.port.ClientFactory``.

        A start that is cancelled is killed, and its directory is free before that goes on.

        Raises:
            NodeRejected: The node refused the first request.
            NetworkMismatch: The store belongs to another network.
            UnsupportedNetwork: The factory has no endpoint for the network.
        """
        endpoint = self._endpoints.get(network)
        if endpoint is None:
            known = ", ".join(sorted(self._endpoints)) or "none"
            raise UnsupportedNetwork(f"no endpoint for {network}; this factory has: {known}")
        dial_timeout_s = _above_zero("dial_timeout_s", dial_timeout_s)
        latest = self._latest.get(directory)
        if latest is not None and latest.closed:
            # Dead or draining, it may not have given the directory back yet.
            await latest.close()
        mailbox = self._mailboxes.of_running_loop()
        what = f"client in {directory} on {network}"
        try:
            client, ticket = self._native.Client.open(
                mailbox.native,
                directory,
                endpoint,
                "testnet" if network is Network.TESTNET else "localnet",
                dial_timeout_s=dial_timeout_s,
                request_timeout_s=self._request_timeout_s,
                sync_timeout_s=self._sync_timeout_s,
                queue_length_max=self.queue_length_max,
            )
            await _opened(client, ticket, mailbox)
        except self._native.MidenError as failure:
            raise spawn_error(failure, what=f"{what} at {endpoint}") from failure
        opened = MidenClient(client, mailboxes=self._mailboxes, where=what)
        self._latest[directory] = opened
        return opened


async def _opened(client: native.Client, ticket: native.Ticket, mailbox: Mailbox) -> None:
    try:
        await mailbox.answer(ticket)
    except asyncio.CancelledError:
        client.kill()
        with suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE_TIMEOUT_S):
                await mailbox.answer(client.close(mailbox.native))
        raise


def _above_zero(name: str, seconds: float) -> float:
    if not math.isfinite(seconds) or seconds <= 0:
        raise InvalidInput(f"{name} must be a finite number of seconds > 0, got {seconds!r}")
    return seconds
