"""The simulated client: a process with a queue, and a store that outlives it like a disk."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import simpy

from harness.miden.simulated.accounts import account_id_of, refuse_bad
from harness.miden.simulated.hold import SimulatedHold
from serve.clients.command_times import CommandTimes, tell_times
from serve.domain.account_specs import AccountSpec, KeyScheme
from serve.domain.client_values import (
    AccountState,
    ClientAccount,
    ClientAccountStatus,
    NodeStatus,
    SyncSummary,
)
from serve.errors import (
    AccountNotFound,
    ClientBusy,
    ClientClosed,
    ClientStoreInUse,
    NodeUnreachable,
)

if TYPE_CHECKING:
    import asyncio
    import random
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from harness.miden.simulated.node import SimulatedNode
    from harness.simulated.loop.virtual_loop import VirtualLoop
    from serve.domain.address import AccountId, Network

__all__ = ["ClientStore", "SimulatedClient", "SimulatedClientFactory"]

T = TypeVar("T")

QUEUE_LENGTH_MAX = 1_024  # The same as the real client's.


@dataclass(slots=True)
class ClientStore:
    """What a client keeps in its directory, for the next client on that directory."""

    accounts: dict[AccountId, ClientAccount] = field(default_factory=dict)
    keys: set[AccountId] = field(default_factory=set)
    genesis: str | None = None
    block_number: int = 0
    built: int = 0


@dataclass(slots=True)
class _Job:
    """A command in the queue, with its caller's future."""

    body: Generator[simpy.Event, Any, Any]
    reply: asyncio.Future[Any]
    asked_s: float
    times: CommandTimes | None = None


class SimulatedClientFactory:
    """Starts simulated clients on a simulated node, and keeps their stores by directory.

    ``queue_length_max`` is how many commands may wait in a client; a further one is ``ClientBusy``.
    It holds for clients that start after it was set.
    ``stores`` are the stores, and ``open_directories`` those with an open client, by name.
    """

    def __init__(
        self,
        node: SimulatedNode,
        loop: VirtualLoop,
        *,
        queue_length_max: int = QUEUE_LENGTH_MAX,
    ) -> None:
        self.node = node
        self.queue_length_max = queue_length_max
        self._loop = loop
        self.stores: dict[str, ClientStore] = {}
        self.open_directories: set[str] = set()

    async def spawn(
        self, directory: Path, network: Network, *, dial_timeout_s: float
    ) -> SimulatedClient:
        """Start a client; see ``serve.clients.port.ClientFactory``."""
        where = directory.name
        if where in self.open_directories:
            raise ClientStoreInUse(f"{where}: another client is open on this directory")
        self.open_directories.add(where)
        store = self.stores.setdefault(where, ClientStore())
        stream = self.node.model.stream(where)
        environment = self._loop.environment
        begin_s, dialled_s = environment.now, list[float]()
        try:
            await self._loop.future_of(
                environment.process(self._build(store, stream, dial_timeout_s, dialled_s))
            )
        except BaseException:
            self.open_directories.discard(where)
            raise
        finally:
            now_s = environment.now
            node_s = sum(now_s - since_s for since_s in dialled_s)
            tell_times(CommandTimes(queued_s=0.0, service_s=now_s - begin_s, node_s=node_s))
        return SimulatedClient(
            self.node,
            store,
            loop=self._loop,
            stream=stream,
            where=where,
            network=network,
            queue_length_max=self.queue_length_max,
            released=lambda: self.open_directories.discard(where),
        )

    def keyless(self, where: str) -> tuple[AccountId, ...]:
        """Return the accounts without keys in the store of a directory, by id."""
        store = self.stores.get(where, ClientStore())
        return tuple(sorted((one for one in store.accounts if one not in store.keys), key=_hex))

    def count_keys(self, where: str) -> int:
        """Count the keys in the store of a directory."""
        return len(self.stores.get(where, ClientStore()).keys)

    def _build(
        self,
        store: ClientStore,
        stream: random.Random,
        dial_timeout_s: float,
        dialled_s: list[float],
    ) -> Generator[simpy.Event, Any, None]:
        """Open the store; an empty one asks the node for its genesis, from ``dialled_s[0]`` on."""
        yield from self.node.takes("spawn", stream)
        yield self.node.environment.timeout(self.node.model.seconds("build", stream))
        if store.genesis is None:
            dialled_s.append(self.node.environment.now)
            yield from self.node.dial(stream, timeout_s=dial_timeout_s)
            store.genesis = self.node.genesis


class SimulatedClient:
    """A SimPy process that takes commands from a queue, one at a time, in order."""

    def __init__(
        self,
        node: SimulatedNode,
        store: ClientStore,
        *,
        loop: VirtualLoop,
        stream: random.Random,
        where: str,
        network: Network,
        queue_length_max: int,
        released: Callable[[], None],
    ) -> None:
        self.network = network
        self._node = node
        self._store = store
        self._loop = loop
        self._stream = stream
        self._where = where
        self._queue_length_max = queue_length_max
        self._released = released
        self._prepared: dict[AccountId, ClientAccount] = {}
        self._queue: simpy.Store = simpy.Store(loop.environment)
        self._jobs: list[_Job] = []
        self._closed = False
        self._stopping = False
        self._has_begun = False  # Its process has.
        self._next_hold: SimulatedHold | None = None
        self._restarts_known = node.restarts
        # Of the command under way. Without a core in the model, its CPU time is not known.
        self._cpu_s: float | None = None
        self._node_s = 0.0
        self._actor = loop.environment.process(self._work())

    @property
    def closed(self) -> bool:
        """True once the client takes no more commands."""
        return self._closed or self._stopping

    async def node_status(self) -> NodeStatus:
        """Ask the node for its status."""
        return await self._command(self._node_status())

    async def sync(self) -> SyncSummary:
        """Bring the store to the chain's tip."""
        return await self._command(self._sync())

    async def prepare_account(self, spec: AccountSpec) -> AccountId:
        """Build an account and keep its key; the account is not visible yet."""
        refuse_bad(spec)
        return await self._command(self._prepare(spec))

    async def add_account(self, account_id: AccountId) -> None:
        """Make a prepared account visible."""
        await self._command(self._add(account_id))

    async def list_accounts(self) -> tuple[ClientAccount, ...]:
        """List the store's accounts, by id."""
        return await self._command(self._list())

    async def get_account(self, account_id: AccountId) -> ClientAccount | None:
        """Read one account, or None."""
        return await self._command(self._get(account_id))

    async def get_account_status(self, account_id: AccountId) -> ClientAccountStatus:
        """Read one account with its assets."""
        return await self._command(self._status(account_id))

    async def close(self) -> None:
        """Finish what is queued, refuse what comes later, release the store; idempotent."""
        if not self.closed:
            self._stopping = True
            self._queue.put(None)
        if not self._closed:
            await self._loop.future_of(self._actor)

    def kill(self) -> None:
        """End at once, as in a crash; callers that wait get an error."""
        if not self._closed:
            self._end("the client died")
            # A process that has not begun could not catch it: it ends when it begins.
            if self._has_begun and self._actor.is_alive:
                self._actor.interrupt("killed")

    def hold_next(self) -> SimulatedHold:
        """Let the next command stop inside the client, before it does anything."""
        self._next_hold = SimulatedHold(self._loop)
        return self._next_hold

    async def _command(self, body: Generator[simpy.Event, Any, T]) -> T:
        hold, self._next_hold = self._next_hold, None
        body = body if hold is None else hold.around(body)
        if self.closed:
            raise ClientClosed(f"{self._where}: the client is closed")
        if len(self._queue.items) >= self._queue_length_max:
            body.close()
            msg = f"{self._where}: {self._queue_length_max} commands wait already; try later"
            raise ClientBusy(msg)
        job = _Job(body=body, reply=self._loop.create_future(), asked_s=self._loop.environment.now)
        self._jobs.append(job)
        self._queue.put(job)
        try:
            answer: T = await job.reply
        finally:
            if job.times is not None:
                tell_times(job.times)
        return answer

    def _work(self) -> Generator[simpy.Event, Any, None]:
        self._has_begun = True
        if self._closed:
            return
        try:
            while (job := (yield self._queue.get())) is not None:
                if job.reply.done():
                    # A killed client has already dropped its jobs.
                    if job in self._jobs:
                        self._jobs.remove(job)
                    job.body.close()
                else:
                    yield from self._carry_out(job)
        except simpy.Interrupt:
            return
        self._end("the client was closed")

    def _carry_out(self, job: _Job) -> Generator[simpy.Event, Any, None]:
        environment = self._loop.environment
        begin_s, self._cpu_s, self._node_s = environment.now, None, 0.0
        value: Any = None
        failure: Exception | None = None
        try:
            value = yield from job.body
        except simpy.Interrupt:
            raise
        except Exception as error:  # noqa: BLE001 - the caller gets it, as from a real client
            failure = error
        job.times = CommandTimes(
            queued_s=begin_s - job.asked_s,
            service_s=environment.now - begin_s,
            cpu_s=self._cpu_s,
            node_s=self._node_s,
        )
        if not job.reply.done():
            if failure is None:
                job.reply.set_result(value)
            else:
                job.reply.set_exception(failure)
        if job in self._jobs:
            self._jobs.remove(job)

    def _end(self, why: str) -> None:
        self._closed = True
        for job in self._jobs:
            if not job.reply.done():
                job.reply.set_exception(ClientClosed(f"{self._where}: {why}"))
        self._jobs.clear()
        self._released()

    def _takes(
        self, command: str, *, on_a_core: Sequence[str] = ()
    ) -> Generator[simpy.Event, Any, None]:
        busy_s = yield from self._node.takes(command, self._stream, on_a_core=on_a_core)
        if busy_s is not None:
            self._cpu_s = (self._cpu_s or 0.0) + busy_s

    def _wait(self, what: str) -> simpy.Event:
        return self._loop.environment.timeout(self._node.model.seconds(what, self._stream))

    def _calls(self, count: int) -> Generator[simpy.Event, Any, None]:
        """Call the node; the first call after its restart finds the connection broken."""
        begin_s = self._loop.environment.now
        try:
            if self._restarts_known != self._node.restarts and self._node.state != "restart":
                self._restarts_known = self._node.restarts
                yield self._wait("refused")
                msg = f"{self._where}: the connection broke: the node was restarted"
                raise NodeUnreachable(msg)
            yield from self._node.calls(count, self._stream)
        finally:
            self._node_s += self._loop.environment.now - begin_s

    def _node_status(self) -> Generator[simpy.Event, Any, NodeStatus]:
        yield from self._takes("node_status")
        yield from self._calls(self._node.model.profile.rpcs.status)
        return self._node.status()

    def _sync(self) -> Generator[simpy.Event, Any, SyncSummary]:
        rpcs = self._node.model.profile.rpcs
        first = self._store.block_number == 0
        yield from self._takes("first_sync" if first else "later_sync")
        yield from self._calls(rpcs.first_sync if first else rpcs.later_sync)
        self._store.block_number = self._node.block_number
        return SyncSummary(block_number=self._store.block_number)

    def _prepare(self, spec: AccountSpec) -> Generator[simpy.Event, Any, AccountId]:
        scheme = "key" if spec.key_scheme is KeyScheme.FALCON else "key_ecdsa"
        yield from self._takes("prepare_account", on_a_core=(scheme, "search"))
        account_id = account_id_of(
            f"{self._node.genesis} {self._where} {self._store.built}", spec.storage_mode
        )
        self._store.built += 1
        yield self._wait("store")
        self._store.keys.add(account_id)
        self._prepared[account_id] = ClientAccount(
            account_id=account_id,
            storage_mode=spec.storage_mode,
            state=AccountState.NEW,
            nonce=0,
        )
        return account_id

    def _add(self, account_id: AccountId) -> Generator[simpy.Event, Any, None]:
        yield from self._takes("add_account")
        yield self._wait("store")
        if account_id in self._store.accounts:
            return
        if account_id not in self._prepared:
            raise self._missing(account_id)
        self._store.accounts[account_id] = self._prepared.pop(account_id)

    def _list(self) -> Generator[simpy.Event, Any, tuple[ClientAccount, ...]]:
        yield from self._takes("list_accounts")
        yield self._wait("store")
        accounts = self._store.accounts
        return tuple(accounts[one] for one in sorted(accounts, key=_hex))

    def _get(self, account_id: AccountId) -> Generator[simpy.Event, Any, ClientAccount | None]:
        yield from self._takes("get_account")
        yield self._wait("store")
        return self._store.accounts.get(account_id)

    def _status(self, account_id: AccountId) -> Generator[simpy.Event, Any, ClientAccountStatus]:
        yield from self._takes("get_account_status")
        yield self._wait("store")
        account = self._store.accounts.get(account_id)
        if account is None:
            raise self._missing(account_id)
        return ClientAccountStatus(
            account_id=account_id,
            storage_mode=account.storage_mode,
            state=account.state,
            assets=(),
        )

    def _missing(self, account_id: AccountId) -> AccountNotFound:
        return AccountNotFound(f"{self._where}: no account {account_id.hex}")


def _hex(account_id: AccountId) -> str:
    return account_id.hex
