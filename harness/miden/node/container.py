"""A container with a node in it, from its start to its removal."""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Self, cast

from docker.errors import APIError, DockerException, NotFound
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient as ContainersClient

from harness.errors import HarnessBug
from harness.live.container_sweep import (
    LABEL_OWNER,
    LABEL_SHARED,
    LABEL_TOKEN,
    remove_containers,
    sweep_abandoned,
)
from harness.live.docker_daemon import docker_failures_explained, open_docker
from harness.live.ryuk import start_ryuk
from harness.miden.node.readiness import RPC_PORT, StatusWait
from harness.processes.identity import ProcessIdentity
from harness.processes.signals import unwind_on_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType

    from docker import DockerClient
    from docker.models.containers import Container

    from serve.domain.client_values import NodeStatus

__all__ = ["NodeContainer"]

# The node keeps two trees of 1 GiB in memory whatever its settings; twice that leaves room.
_MEMORY_LIMIT = "4g"


class NodeContainer:
    """A node in a container, published on a random port of 127.0.0.1.

    A context manager. The container is removed at its end, when its start fails, on Ctrl-C,
    SIGTERM and at interpreter exit; what a killed process leaves is removed by Ryuk where that can
    run, else by the next start. ``settings`` are environment variables of the node
    (``MIDEN_NODE_*``). With ``shared_state``, the folder of the state that counts its users, Ryuk
    leaves the container alone, and it can be handed over to those users.
    """

    def __init__(
        self,
        image: str,
        *,
        progress: Callable[[str], None] = lambda _: None,
        start_timeout_s: float = 120.0,
        settings: Mapping[str, str] | None = None,
        shared_state: Path | None = None,
    ) -> None:
        self.image = image
        self._progress = progress
        self._settings = dict(settings or {})
        self._shared_state = shared_state
        self._token = secrets.token_hex(8)
        self._owner_pid = os.getpid()
        self._client: DockerClient | None = None
        self._container: Container | None = None
        self._wait = StatusWait(start_timeout_s)

    @property
    def endpoint(self) -> str:
        """Where the node's RPC is: ``http://127.0.0.1:PORT``."""
        if self._wait.endpoint is None:
            raise HarnessBug("the node's endpoint was asked for before the node was started")
        return self._wait.endpoint

    @property
    def first_status(self) -> NodeStatus:
        """The node's first status, when it became ready."""
        if self._wait.status is None:
            raise HarnessBug("the node's status was asked for before the node was started")
        return self._wait.status

    @property
    def container_id(self) -> str:
        """Docker's id of the container, 64 hex digits."""
        return str(self._started().id)

    def start(self) -> Self:
        """Start the container and wait until the node answers.

        Raises:
            CouldNotRun: It could not be started, ended by itself, or did not answer in time. The
                message holds the end of its logs, and the container is removed.
        """
        unwind_on_signals()
        client = self._client = open_docker()
        sweep_abandoned(client)
        reaped = self._shared_state is None and start_ryuk(self._progress)
        _open_containers[self._token] = self
        try:
            with docker_failures_explained(f"starting a container of {self.image}"):
                self._start(reaped=reaped)
        except BaseException as error:
            # On any error, an interruption included: nobody else knows of this container.
            self._remove_after(error)
            raise
        return self

    def hand_over(self) -> None:
        """Leave the container to the users counted in ``shared_state``: it outlives this object."""
        _open_containers.pop(self._token, None)
        if self._client is not None:
            self._client.close()
            self._client = None

    def _start(self, *, reaped: bool) -> None:
        container = DockerContainer(self.image)
        if self._shared_state is not None:
            container._docker = _UnreapedClient()  # DockerContainer takes no client as an argument
        # A tuple makes Docker choose a random port of that address; other forms publish to all.
        container.ports[f"{RPC_PORT}/tcp"] = cast("Any", ("127.0.0.1",))
        container.with_envs(**self._settings).waiting_for(self._wait).with_kwargs(
            labels={
                LABEL_OWNER: str(ProcessIdentity.current()),
                LABEL_SHARED: str(self._shared_state or ""),
                LABEL_TOKEN: self._token,
            },
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            mem_limit=_MEMORY_LIMIT,
            pids_limit=1024,
        )
        with _ryuk_setting(disabled=not reaped):
            container.start()
        self._container = container.get_wrapped_container()
        container.get_docker_client().client.close()

    def logs(self, tail: int = 200) -> str:
        """Return the last lines that the node and its validator wrote."""
        try:
            return bytes(self._started().logs(tail=tail)).decode(errors="replace")
        except (DockerException, RequestException) as error:
            return f"(no logs: {' '.join(str(error).split())})"

    def is_running(self) -> bool:
        """Return True if the container exists and has not ended."""
        with docker_failures_explained("looking at the node's container"):
            try:
                self._started().reload()
            except NotFound:
                return False
        return str(self._started().status) == "running"

    def pause(self) -> None:
        """Freeze the node: its port accepts, and nothing answers."""
        with docker_failures_explained("pausing the node"):
            self._started().pause()

    def unpause(self) -> None:
        """Let a frozen node go on."""
        with docker_failures_explained("unpausing the node"):
            self._started().unpause()

    def kill(self) -> None:
        """End the node at once, as a crash would; the container stays, with its logs."""
        with docker_failures_explained("killing the node"):
            self._started().kill()

    def stop(self, *, grace_s: int = 10) -> None:
        """Ask the node to end, and remove the container; idempotent."""
        if self._client is None:
            return
        with docker_failures_explained("stopping the node"):
            # Removed below in any case: a paused or dead container cannot be stopped.
            with contextlib.suppress(APIError):
                if self._container is not None:
                    self._container.stop(timeout=grace_s)
            self._remove()

    def _started(self) -> Container:
        if self._container is None:
            raise HarnessBug("the node's container was used before it was started")
        return self._container

    def _remove(self) -> None:
        if self._client is None:
            return
        remove_containers(self._client, label=f"{LABEL_TOKEN}={self._token}")
        _open_containers.pop(self._token, None)
        self._client.close()
        self._client = None

    def _remove_after(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            # The request to create the container may have been under way, and Docker finishes it.
            time.sleep(0.5)
        try:
            self._remove()
        except (DockerException, RequestException, OSError) as failure:
            error.add_note(f"the node's container may be left over: {failure}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _UnreapedClient(ContainersClient):
    """Creates containers without the session's label, by which Ryuk would remove them."""

    def create(self, image: str, *args: Any, **kwargs: Any) -> Container:
        return self.client.containers.create(image, *args, **kwargs)


@contextlib.contextmanager
def _ryuk_setting(*, disabled: bool) -> Iterator[None]:
    """Switch Ryuk on or off for a start; a lock guards the setting of the whole process."""
    with _ryuk_setting_lock:
        before = testcontainers_config.ryuk_disabled
        testcontainers_config.ryuk_disabled = disabled
        try:
            yield
        finally:
            testcontainers_config.ryuk_disabled = before


_ryuk_setting_lock = threading.Lock()
_open_containers: dict[str, NodeContainer] = {}


@atexit.register
def _remove_open_containers() -> None:
    for container in list(_open_containers.values()):
        # A forked child inherits the list, but does not own the containers.
        if container._owner_pid == os.getpid():
            with contextlib.suppress(DockerException, RequestException, OSError):
                container._remove()
