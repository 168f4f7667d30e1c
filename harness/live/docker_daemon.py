"""The connection to the Docker daemon, and the messages for its failures."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException
from testcontainers.core.docker_client import get_docker_host

from harness.errors import CouldNotRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient

__all__ = ["docker_failures_explained", "explain_docker_failure", "open_docker"]

_LOCAL_HOSTS = frozenset({"", "localhost", "localnpipe", "127.0.0.1", "::1"})
_OTHER_WAY = "a node that runs already can be used without Docker: set HARNESS_NODE_ENDPOINT=http://HOST:PORT"


def open_docker(*, timeout_s: int = 60) -> DockerClient:
    """Connect to the Docker daemon that the environment names, and check that it answers.

    Raises:
        CouldNotRun: There is no daemon, permission is missing, or it is on another machine.
    """
    with docker_failures_explained("connecting to Docker"):
        # This negotiates the version with the daemon, and so fails if none answers.
        address = get_docker_host()
        client = (
            docker.DockerClient(base_url=address, version="auto", timeout=timeout_s)
            if address and not os.environ.get("DOCKER_TLS_VERIFY")
            else docker.from_env(timeout=timeout_s)
        )
    if _is_remote(client.api.base_url):
        client.close()
        raise CouldNotRun(
            f"Docker runs on another machine ({client.api.base_url}), and the node is published on "
            f"the loopback address of its machine only: unset DOCKER_HOST to use the local Docker; "
            f"{_OTHER_WAY}"
        )
    return client


def _is_remote(base_url: str) -> bool:
    """Return True for a remote daemon; the SDK writes sockets as ``http+docker://localhost``."""
    return (urlsplit(base_url).hostname or "") not in _LOCAL_HOSTS


@contextmanager
def docker_failures_explained(doing: str) -> Iterator[None]:
    """Turn every failure of Docker inside the block into a ``CouldNotRun`` with advice."""
    try:
        yield
    except (DockerException, RequestException, OSError) as error:
        raise explain_docker_failure(error, doing=doing) from error


def explain_docker_failure(error: BaseException, *, doing: str) -> CouldNotRun:
    """Say what went wrong with Docker, and what to do about it."""
    text = " ".join(str(error).split())
    lower = text.lower()
    if "no space left" in lower or "disk quota" in lower:
        advice = "the disk is full: free some space (docker system df says what Docker holds)"
    elif "permission denied" in lower or "permissionerror" in lower:
        advice = (
            "this user may not use Docker: join the group docker "
            "(sudo usermod -aG docker $USER, then log in again), or use rootless Docker"
        )
    elif "timed out" in lower:
        advice = "Docker does not answer in time: is it busy, or hung? (docker info)"
    elif isinstance(error, APIError):
        advice = "Docker answered, but refused"
    else:
        advice = (
            "Docker does not answer: install it, or start it (docker info must work); if its "
            f"socket is elsewhere, set DOCKER_HOST; {_OTHER_WAY}"
        )
    return CouldNotRun(f"{doing}: {advice}\n  Docker says: {text or type(error).__name__}")
