"""The in-process client that the service is tested with, its gates and its faults."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import Counter

import pytest

from serve import AccountId, Deadlines, Serve, Synchronous
from serve.clients.command_times import CommandTimes, tell_times
from serve.domain.account_specs import FaucetSpec
from serve.domain.client_values import (
    AccountState,
    ClientAccount,
    ClientAccountStatus,
    NodeStatus,
    SyncSummary,
)
from serve.errors import AccountNotFound, ClientClosed, ClientStoreInUse


class Gate:
    """A named point where every task that arrives is held until it is opened."""

    def __init__(self):
        self.reached = asyncio.Event()
        self.arrivals = 0
        self._opened = asyncio.Event()

    async def hold(self):
        self.arrivals += 1
        self.reached.set()
        await self._opened.wait()

    def open(self):
        self._opened.set()


class MemoryClient:
    """A client in memory: commands run one at a time, in order, each to its end once begun."""

    def __init__(self, factory, directory, network):
        self.factory = factory
        self.directory = directory
        self.network = network
        self.prepared = {}
        self.running = 0
        self.closed = False
        self._was_killed = False
        self._running = None
        self._turn = asyncio.Lock()

    @property
    def accounts(self):
        return self.factory.disks.setdefault(self.directory, {})

    async def node_status(self):
        return await self._command("node_status", self._node_status)

    async def sync(self):
        return await self._command("sync", lambda: SyncSummary(block_number=7))

    async def prepare_account(self, spec):
        return await self._command("prepare_account", lambda: self._prepare(spec))

    async def add_account(self, account_id):
        return await self._command("add_account", lambda: self._add(account_id))

    async def list_accounts(self):
        return await self._command("list_accounts", self._list)

    async def get_account(self, account_id):
        return await self._command("get_account", lambda: self.accounts.get(account_id))

    async def get_account_status(self, account_id):
        return await self._command("get_account_status", lambda: self._status(account_id))

    async def close(self):
        self.closed = True
        await self.factory.pass_point("close.killed" if self._was_killed else "close")
        async with self._turn:
            self.factory.vacate(self.directory)

    def kill(self):
        """End at once: every command raises; the directory is free, unless somebody holds that."""
        self.closed = self._was_killed = True
        self.factory.kills.append(self)
        self.factory.dead.append(self)
        if self._running is not None:
            self._running.cancel()
        if "close.killed" not in self.factory.gates:
            self.factory.vacate(self.directory)

    def _node_status(self):
        return NodeStatus(version="0", genesis_commitment="0x" + "0" * 64, chain_tip=7)

    def _prepare(self, spec):
        account_id = self.factory.next_account_id(public=isinstance(spec, FaucetSpec))
        keystore = self.directory / "keystore"
        keystore.mkdir(parents=True, exist_ok=True)
        (keystore / account_id.hex).write_text("key")
        self.prepared[account_id] = ClientAccount(
            account_id=account_id,
            storage_mode=spec.storage_mode,
            state=AccountState.NEW,
            nonce=0,
        )
        return account_id

    def _add(self, account_id):
        if account_id in self.accounts:
            return
        if account_id not in self.prepared:
            raise AccountNotFound(f"{account_id} was not prepared")
        assert (self.directory / "keystore" / account_id.hex).is_file()
        self.accounts[account_id] = self.prepared[account_id]

    def _list(self):
        return tuple(self.accounts[account_id] for account_id in sorted(self.accounts))

    def _status(self, account_id):
        if account_id not in self.accounts:
            raise AccountNotFound(f"{account_id} is not in the store")
        account = self.accounts[account_id]
        return ClientAccountStatus(
            account_id=account_id,
            storage_mode=account.storage_mode,
            state=account.state,
            assets=self.factory.assets,
        )

    async def _command(self, name, body):
        self._refuse_if_closed()
        self.factory.log.append(("enqueue", name, self))
        asked_s = asyncio.get_running_loop().time()
        await self._turn.acquire()
        begin_s = asyncio.get_running_loop().time()
        running = asyncio.create_task(self._run(name, body), name=f"client:{name}")
        self._running = running
        running.add_done_callback(lambda _: self._turn.release())
        running.add_done_callback(lambda task: task.cancelled() or task.exception())
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if self._was_killed and running.cancelled():
                raise ClientClosed("the client was killed") from None
            raise
        finally:
            if running.done():
                service_s = asyncio.get_running_loop().time() - begin_s
                tell_times(CommandTimes(queued_s=begin_s - asked_s, service_s=service_s))

    async def _run(self, name, body):
        self._refuse_if_dead()
        self.running += 1
        assert self.running == 1
        try:
            self.factory.log.append(("start", name, self))
            await self.factory.pass_point(name, self)
            result = body()
            await self.factory.pass_point(f"{name}.after_remote", self)
            self.factory.log.append(("end", name, self))
            return result
        finally:
            self.running -= 1

    def _refuse_if_closed(self):
        if self.closed:
            raise ClientClosed("the client is closed")

    def _refuse_if_dead(self):
        if self in self.factory.dead:
            raise ClientClosed("the client died")


class MemoryClientFactory:
    """Starts clients whose stores outlive them; notes what happened, and any overlap."""

    def __init__(self):
        self.disks = {}
        self.occupied = []
        self.spawned = []
        self.spawns = Counter()
        self.overlaps = []
        self.log = []
        self.dead = []
        self.kills = []
        self.assets = ()
        self.gates = {}
        self._faults = {}
        self.ids = 0

    def park(self, point):
        """Hold everybody who comes to a point from now on."""
        gate = self.gates[point] = Gate()
        return gate

    def open(self, point):
        self.gates.pop(point).open()

    def fail(self, point, *errors):
        """Raise these at a point, one each time: None lets one pass, "hang" never returns."""
        self._faults[point] = list(errors)

    async def pass_point(self, point, client=None):
        gate = self.gates.get(point)
        if gate is not None:
            await gate.hold()
        faults = self._faults.get(point)
        if faults:
            error = faults.pop(0)
            if error == "die":
                client.closed = True
                self.dead.append(client)
                raise ClientClosed(f"the client died in {point}")
            if error == "hang":
                await asyncio.get_running_loop().create_future()
            if error is not None:
                raise error

    async def spawn(self, directory, network, *, dial_timeout_s):
        self.spawns[directory.name] += 1
        if directory in self.occupied:
            self.overlaps.append(directory)
            raise ClientStoreInUse(f"{directory} is open twice")
        self.occupied.append(directory)
        try:
            await asyncio.sleep(0)
            await self.pass_point(f"spawn.{directory.name}")
            await self.pass_point("spawn")
        except BaseException:
            self.occupied.remove(directory)
            raise
        client = MemoryClient(self, directory, network)
        self.spawned.append(client)
        return client

    def vacate(self, directory):
        if directory in self.occupied:
            self.occupied.remove(directory)

    def next_account_id(self, *, public):
        self.ids += 1
        raw = bytearray(hashlib.sha256(str(self.ids).encode()).digest()[:15])
        raw[0] &= 0x7F
        raw[7] = 0x11 if public else 0x01
        raw[8] &= 0x7F
        return AccountId(bytes(raw))

    @property
    def spawn_count(self):
        return sum(self.spawns.values())


@pytest.fixture
async def forward(monkeypatch):
    """Stop the loop's clock: a deadline comes when the test moves it on, by seconds."""
    loop = asyncio.get_running_loop()
    now_s = float(math.ceil(loop.time()))  # Whole seconds add up exactly.

    def move(seconds):
        nonlocal now_s
        now_s += seconds

    monkeypatch.setattr(loop, "time", lambda: now_s)
    return move


@pytest.fixture
def clients():
    return MemoryClientFactory()


@pytest.fixture
def open_serve(tmp_path, clients):
    """Make a Serve on the test's own path; the arguments are those of Serve."""

    def make(path=tmp_path, factory=clients, **arguments):
        arguments.setdefault("deadlines", Deadlines(close_s=60, drain_s=60))
        return Serve(path, factory, synchronous=Synchronous.OFF, **arguments)

    return make
