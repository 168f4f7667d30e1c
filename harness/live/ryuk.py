"""The start of Ryuk, testcontainers' reaper, where it can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import Reaper

from harness.live.docker_daemon import open_docker

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["start_ryuk"]


def start_ryuk(progress: Callable[[str], None]) -> bool:
    """Start this process's reaper, unless that is switched off or impossible; True if it runs.

    Without it, what a killed process leaves is only removed later: see
    ``container_sweep.sweep_abandoned``.
    """
    if testcontainers_config.ryuk_disabled:
        return False
    image = testcontainers_config.ryuk_image
    # A registry that never answers must not delay every start.
    client = open_docker(timeout_s=20)
    try:
        try:
            client.images.get(image)
        except ImageNotFound:
            client.images.pull(image)
        Reaper.get_instance()
    except (DockerException, RequestException, OSError, TimeoutError, RuntimeError) as error:
        Reaper.delete_instance()
        reason = getattr(error, "explanation", None) or error
        progress(f"no reaper ({image}: {reason}): containers are removed by this process itself")
        return False
    finally:
        client.close()
    return True
