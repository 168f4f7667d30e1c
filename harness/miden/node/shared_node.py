"""The node that processes share: started by its first user, removed by its last."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import os
import secrets
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException

from harness.errors import CouldNotRun, HarnessError
from harness.live.container_cpu import ContainerCpu
from harness.live.container_sweep import LABEL_SHARED, LABEL_TOKEN, remove_containers
from harness.live.docker_daemon import docker_failures_explained, open_docker
from harness.miden.node.container import NodeContainer
from harness.miden.node.image import ensure_node_image
from harness.miden.node.runtime_folder import runtime_folder
from harness.miden.node.shared_state import SharedRecord, StateFile
from harness.miden.node.status import ask_status, split_endpoint, wait_for_status
from harness.processes.signals import unwind_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient

__all__ = [
    "ENDPOINT_VARIABLE",
    "NodeState",
    "SharedNode",
    "node_down",
    "node_status",
    "node_up",
    "shared_node",
]

ENDPOINT_VARIABLE = "HARNESS_NODE_ENDPOINT"


def _silent(line: str) -> None:
    """Ignore a line of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeState:
    """The present state of a node.

    ``container_id`` and ``image`` are None for a node that the harness did not start. ``kept``: it
    stays until ``node_down``. ``user_pids``: the processes that use it. ``started_at``: seconds
    since the epoch, None where unknown.
    """

    endpoint: str
    version: str
    genesis_commitment: str
    chain_tip: int
    container_id: str | None = None
    image: str | None = None
    kept: bool = False
    user_pids: tuple[int, ...] = ()
    started_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNode:
    """A node in use; ``container_id`` is None for a node that the harness did not start."""

    endpoint: str
    version: str
    genesis_commitment: str
    container_id: str | None = None

    def logs(self, tail: int = 200) -> str:
        """Return the last lines of the node's log, or a line that says why there is none."""
        if self.container_id is None:
            return f"(no logs: {ENDPOINT_VARIABLE} names this node, the harness did not start it)"
        try:
            with _docker() as client:
                text = client.containers.get(self.container_id).logs(tail=tail)
                return bytes(text).decode(errors="replace")
        except (HarnessError, DockerException, RequestException) as error:
            return f"(no logs: {' '.join(str(error).split())})"

    def cpu(self) -> ContainerCpu | None:
        """Find the counter of its CPU time; None if the harness did not start it, or it ended."""
        if self.container_id is None:
            return None
        try:
            with _docker() as client:
                state = client.containers.get(self.container_id).attrs["State"]
        except (HarnessError, DockerException, RequestException):
            return None
        return ContainerCpu(state["Pid"])


@contextmanager
def shared_node(
    progress: Callable[[str], None] = _silent, *, folder: Path | None = None
) -> Iterator[SharedNode]:
    """Use the node that runs already, or start one; the last user removes it.

    Any number of processes may use it at once. They are counted in a file in ``folder`` (default:
    the runtime folder of this account); killed processes do not count. With
    ``HARNESS_NODE_ENDPOINT`` set, that node is used and nothing is started.

    Raises:
        CouldNotRun: There is no node, and none could be started; the message says why.
        BadInput: ``HARNESS_NODE_ENDPOINT`` is not ``http://host:port``.
    """
    foreign = _foreign_node()
    if foreign is not None:
        progress(f"using the node at {foreign.endpoint} ({ENDPOINT_VARIABLE})")
        yield SharedNode(
            endpoint=foreign.endpoint,
            version=foreign.version,
            genesis_commitment=foreign.genesis_commitment,
        )
        return
    unwind_on_signals()
    state = StateFile(folder or runtime_folder())
    token = secrets.token_hex(8)
    try:
        with state.locked():
            record = _running_or_new(state, progress)
            # Not sooner: a process interrupted while it waits must not wait again to leave.
            _held[token] = (os.getpid(), state)
            state.write(record.with_user(token))
        yield SharedNode(
            endpoint=record.endpoint,
            version=record.version,
            genesis_commitment=record.genesis_commitment,
            container_id=record.container_id,
        )
    finally:
        _leave(token)


def node_up(progress: Callable[[str], None] = _silent, *, folder: Path | None = None) -> NodeState:
    """Start a node that stays until ``node_down``, or keep the running node.

    Raises:
        CouldNotRun: It could not be started; the message says why.
        BadInput: ``HARNESS_NODE_ENDPOINT`` is not ``http://host:port``.
    """
    foreign = _foreign_node()
    if foreign is not None:
        progress(f"{ENDPOINT_VARIABLE} names a node that runs already: nothing was started")
        return foreign
    state = StateFile(folder or runtime_folder())
    with state.locked():
        record = dataclasses.replace(_running_or_new(state, progress), kept=True)
        state.write(record)
    return _state_of(record)


def node_down(*, folder: Path | None = None) -> bool:
    """End and remove the node of this account; False if there is none.

    Raises:
        CouldNotRun: Processes use it now: it is removed when the last of them ends.
    """
    state = StateFile(folder or runtime_folder())
    with state.locked():
        record = state.read()
        if record is None:
            return False
        if record.users:
            state.write(dataclasses.replace(record, kept=False))
            pids = ", ".join(map(str, record.user_pids))
            raise CouldNotRun(
                f"the node at {record.endpoint} is in use by process {pids}: it is no longer kept, "
                "and is removed when the last of them ends"
            )
        existed = _remove(record)
        state.write(None)
    return existed


def node_status(*, folder: Path | None = None) -> NodeState | None:
    """Ask the node of this account for its state; None if there is none.

    Raises:
        CouldNotRun: The node does not answer.
        BadInput: ``HARNESS_NODE_ENDPOINT`` is not ``http://host:port``.
    """
    foreign = _foreign_node()
    if foreign is not None:
        return foreign
    record = StateFile(folder or runtime_folder()).read()
    return None if record is None else _state_of(record)


def _foreign_node() -> NodeState | None:
    """Ask the node that the environment names; None if it names none."""
    endpoint = os.environ.get(ENDPOINT_VARIABLE, "").strip().rstrip("/")
    if not endpoint:
        return None
    split_endpoint(endpoint, source=ENDPOINT_VARIABLE)
    status = wait_for_status(endpoint, timeout_s=10)
    return NodeState(
        endpoint=endpoint,
        version=status.version,
        genesis_commitment=status.genesis_commitment,
        chain_tip=status.chain_tip,
    )


def _state_of(record: SharedRecord) -> NodeState:
    status = ask_status(record.endpoint)
    return NodeState(
        endpoint=record.endpoint,
        version=status.version,
        genesis_commitment=status.genesis_commitment,
        chain_tip=status.chain_tip,
        container_id=record.container_id,
        image=record.image,
        kept=record.kept,
        user_pids=record.user_pids,
        started_at=record.started_at,
    )


def _running_or_new(state: StateFile, progress: Callable[[str], None]) -> SharedRecord:
    """Return the record of a node that answers, started if need be; call it under the lock."""
    record = state.read()
    if record is not None:
        if _answers(record):
            progress(f"using the node that runs at {record.endpoint}")
            return record
        progress(f"the node at {record.endpoint} is dead: starting another")
        _remove(record)
        state.write(None)
    image = ensure_node_image(progress)
    with _docker() as client, docker_failures_explained("sweeping abandoned containers"):
        # Under the lock and without a record, containers labelled with this folder have no user.
        remove_containers(client, label=f"{LABEL_SHARED}={state.folder}")
    began = time.monotonic()
    progress(f"starting a node from {image}")
    container = NodeContainer(image, progress=progress, shared_state=state.folder).start()
    progress(f"the node answers at {container.endpoint} after {time.monotonic() - began:.1f} s")
    fresh = SharedRecord(
        endpoint=container.endpoint,
        container_id=container.container_id,
        image=image,
        version=container.first_status.version,
        genesis_commitment=container.first_status.genesis_commitment,
        started_at=time.time(),
        users={} if record is None else record.users,
    )
    state.write(fresh)
    container.hand_over()
    return fresh


def _answers(record: SharedRecord) -> bool:
    """Return True if a node can be used; a container that has ended is not waited for."""
    with _docker() as client, docker_failures_explained("looking at the node's container"):
        try:
            running = client.containers.get(record.container_id).status == "running"
        except NotFound:
            return False
    if not running:
        return False
    try:
        # A node answers at once, unless the machine is very busy.
        wait_for_status(record.endpoint, timeout_s=10)
    except CouldNotRun:
        return False
    return True


def _leave(token: str) -> None:
    """End a use, and remove the node if it was the last."""
    _, state = _held.pop(token, (0, None))
    if state is None:
        return
    with state.locked():
        record = state.read()
        if record is None:
            return
        record = record.without_user(token)
        if record.users or record.kept:
            state.write(record)
        else:
            _remove(record)
            state.write(None)


def _remove(record: SharedRecord) -> bool:
    """Stop and remove a node's container; False if it did not exist."""
    with _docker() as client, docker_failures_explained("removing the node's container"):
        try:
            container = client.containers.get(record.container_id)
        except NotFound:
            return False
        with contextlib.suppress(APIError):
            container.stop(timeout=10)
        return remove_containers(client, label=f"{LABEL_TOKEN}={container.labels[LABEL_TOKEN]}") > 0


@contextmanager
def _docker() -> Iterator[DockerClient]:
    client = open_docker()
    try:
        yield client
    finally:
        client.close()


_held: dict[str, tuple[int, StateFile]] = {}


@atexit.register
def _leave_all() -> None:
    for token, (pid, _) in list(_held.items()):
        # A forked child inherits the list, but does not own the uses.
        if pid == os.getpid():
            with contextlib.suppress(HarnessError, OSError):
                _leave(token)
