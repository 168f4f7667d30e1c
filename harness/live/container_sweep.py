"""The labels of the harness's containers, and the removal of abandoned ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docker.errors import APIError, NotFound

from harness.live.docker_daemon import docker_failures_explained
from harness.processes.identity import ProcessIdentity

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = [
    "LABEL_OWNER",
    "LABEL_SHARED",
    "LABEL_TOKEN",
    "remove_containers",
    "sweep_abandoned",
]

LABEL_OWNER = "mosaic-harness.owner"  # str(ProcessIdentity) of the process that started it
LABEL_SHARED = "mosaic-harness.shared"  # the folder of the state that counts its users, or ""
LABEL_TOKEN = "mosaic-harness.token"  # noqa: S105 - a name, one for each container


def remove_containers(client: DockerClient, *, label: str) -> int:
    """Remove all containers with a label, running or not; return how many there were."""
    found = client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
    for container in found:
        _remove_one(container)
    return len(found)


def _remove_one(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        # Another process is removing it at this moment.
        if error.status_code != 409:
            raise


def sweep_abandoned(client: DockerClient) -> int:
    """Remove the unshared containers whose process has ended; return how many there were."""
    count = 0
    with docker_failures_explained("sweeping abandoned containers"):
        found = client.containers.list(
            all=True, filters={"label": LABEL_OWNER}, ignore_removed=True
        )
        for container in found:
            owner = ProcessIdentity.parse(container.labels.get(LABEL_OWNER, ""))
            if not container.labels.get(LABEL_SHARED) and owner is not None and owner.is_gone:
                _remove_one(container)
                count += 1
    return count
