"""A latency profile: a node and its clients' machine in figures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from harness.results.profile_used import ProfileUsed
from harness.simulated.world.distributions import DAY_MS, Distribution, ProfileTable

__all__ = [
    "Command",
    "Commands",
    "ExecutorFigures",
    "Latencies",
    "NamedProfile",
    "Profile",
    "Rpcs",
]

CORES_MAX = 1_024
WORKERS_MAX = 100_000
CALLS_MAX = 1_000
# Each turn is an event: shorter ones would take a simulation for ever.
SLICE_MS_MIN = 0.1
HASH_DIGITS = 12

Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)]


class ExecutorFigures(ProfileTable):
    """What ``asyncio.to_thread`` and thread pools take: SQLite's rows among it."""

    workers: int = Field(
        ge=1, le=WORKERS_MAX, description="threads of the default executor; a pool has its own"
    )
    call_ms: Distribution = Field(description="a call, once a thread is free")


class Latencies(ProfileTable):
    """The parts that commands are made of. ``build`` to ``search`` are parts of one command each.

    ``key``, ``key_ecdsa`` and ``search`` keep a core busy, the others do not.
    """

    dial: Distribution = Field(description="spawn: the connection to the node, on an empty store")
    build: Distribution = Field(description="spawn: the client is built and its store opened")
    key: Distribution = Field(description="prepare_account: a Falcon key is made, on a core")
    key_ecdsa: Distribution = Field(description="prepare_account: or an ECDSA key, on a core")
    search: Distribution = Field(description="prepare_account: an id is searched, on a core")
    rpc: Distribution = Field(description="a call of the node, once one of its workers is free")
    store: Distribution = Field(
        description="the client's store: once in each command but node_status, syncs and spawn"
    )
    refused: Distribution = Field(description="until a connection that is cut off is refused")


class Rpcs(ProfileTable):
    """How many calls of the node a command makes, one after another."""

    first_sync: int = Field(ge=1, le=CALLS_MAX, description="a client's first sync")
    later_sync: int = Field(ge=1, le=CALLS_MAX, description="each later one")
    status: int = Field(ge=1, le=CALLS_MAX, description="node_status")


class Command(ProfileTable):
    """What a command takes besides its parts: first on a core, then without one."""

    cpu_ms: Distribution | None = Field(default=None, description="on one of the cores")
    wait_ms: Distribution | None = Field(default=None, description="without a core")


class Commands(ProfileTable):
    """Commands of a client by name."""

    spawn: Command | None = Field(default=None, description="the start of a client")
    node_status: Command | None = Field(default=None, description="the node's status")
    first_sync: Command | None = Field(default=None, description="a client's first sync")
    later_sync: Command | None = Field(default=None, description="each later sync")
    prepare_account: Command | None = Field(default=None, description="key and id of an account")
    add_account: Command | None = Field(default=None, description="the account is entered")
    list_accounts: Command | None = Field(default=None, description="all accounts of the store")
    get_account: Command | None = Field(default=None, description="one account of the store")
    get_account_status: Command | None = Field(
        default=None, description="one account of the store, with its assets"
    )


class Profile(ProfileTable):
    """The figures of a profile, and where they come from."""

    provenance: Text = Field(description="where the figures come from, in a sentence or more")
    cores: int = Field(
        ge=1, le=CORES_MAX, description="cores that all clients share for what takes a core"
    )
    core_slice_ms: float | None = Field(
        default=None,
        ge=SLICE_MS_MIN,
        le=DAY_MS,
        description="cores are taken in turns so long, and whoever has had least is next; without"
        " it each work keeps its core to its end, first come, first served",
    )
    rpc_workers: int = Field(
        ge=1, le=WORKERS_MAX, description="calls that the node answers at the same time"
    )
    request_timeout_ms: float = Field(
        gt=0, le=DAY_MS, description="after which a call to a frozen node is given up"
    )
    block_interval_ms: float = Field(gt=0, le=DAY_MS, description="from block to block")
    executor: ExecutorFigures = Field(description="thread pools")
    latency_ms: Latencies = Field(description="the parts of commands")
    rpcs: Rpcs = Field(description="calls of the node")
    command: Commands = Field(
        default=Commands(), description="what commands take besides their parts"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProfile:
    """A profile with its name: one that the harness brings, or a file's path as it was given."""

    name: str
    figures: Profile

    @property
    def used(self) -> ProfileUsed:
        """Its name and its hash, which is of the figures and not of where they come from."""
        plain = self.figures.model_dump(exclude={"provenance"}, exclude_none=True)
        text = json.dumps(plain, sort_keys=True)
        digits = hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]
        return ProfileUsed(name=self.name, hash=digits)
