"""The claims about what is said when Docker cannot be used."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest
from docker.errors import APIError, DockerException
from requests.exceptions import ReadTimeout

from harness.errors import CouldNotRun
from harness.live.docker_daemon import (
    docker_failures_explained,
    explain_docker_failure,
    open_docker,
)
from harness.miden.node.container import NodeContainer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (DockerException("PermissionError(13, 'Permission denied')"), "join the group docker"),
        (OSError(28, "No space left on device"), "the disk is full"),
        (ReadTimeout("Read timed out."), "does not answer in time"),
        (DockerException("FileNotFoundError(2, 'No such file')"), "install it, or start it"),
        (APIError("conflict"), "answered, but refused"),
    ],
)
def test_every_failure_has_its_advice(error: Exception, advice: str) -> None:
    said = str(explain_docker_failure(error, doing="starting the node"))
    assert said.startswith("starting the node: ")
    assert advice in said


def test_failure_keeps_its_cause() -> None:
    cause = DockerException("gone")
    with (
        pytest.raises(CouldNotRun, match=r"Docker says: gone") as caught,
        docker_failures_explained("looking"),
    ):
        raise cause
    assert caught.value.__cause__ is cause


def test_missing_socket_gives_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(CouldNotRun, match=r"Docker does not answer.*HARNESS_NODE_ENDPOINT"):
        open_docker()


def test_container_without_docker_gives_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(CouldNotRun, match=r"Docker does not answer"):
        NodeContainer("any:image").start()


def test_daemon_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(CouldNotRun, match=r"does not answer in time"):
            open_docker(timeout_s=1)


def test_daemon_on_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its name stands for another machine, though it leads here: 127.0.0.2 is not in the list.
    with socket.create_server(("127.0.0.2", 0)) as daemon:
        body = b'{"ApiVersion": "1.44", "MinAPIVersion": "1.24"}'
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

        def answer() -> None:
            connection, _ = daemon.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(reply % len(body) + body)

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.2:{daemon.getsockname()[1]}")
        with pytest.raises(CouldNotRun, match=r"Docker runs on another machine.*unset DOCKER_HOST"):
            open_docker(timeout_s=60)
        thread.join(60)
