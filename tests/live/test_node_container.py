"""The claims about the real node in its container: started, found, shared, always removed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker
import pytest

from harness.errors import CouldNotRun
from harness.live.container_sweep import LABEL_OWNER, LABEL_SHARED, sweep_abandoned
from harness.live.fault_proxy import FaultProxy
from harness.miden.node.container import NodeContainer
from harness.miden.node.image import NODE_VERSION, ensure_node_image
from harness.miden.node.shared_node import node_down, node_status, node_up
from harness.miden.node.status import ask_status, wait_for_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

    from harness.miden.node.shared_node import SharedNode

pytestmark = pytest.mark.live

OWNER = """
import sys, time
from harness.miden.node.container import NodeContainer
with NodeContainer(sys.argv[1]) as node:
    print(node.endpoint, flush=True)
    time.sleep(60)
"""
USER = """
import sys
from pathlib import Path
from harness.miden.node.shared_node import shared_node
with shared_node(folder=Path(sys.argv[1])) as node:
    print(node.endpoint, node.container_id, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[DockerClient]:
    client = docker.from_env()
    yield client
    client.close()


@pytest.fixture
def own_nodes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about containers: a node that runs elsewhere does not count."""
    monkeypatch.delenv("HARNESS_NODE_ENDPOINT", raising=False)


def _owned_by(daemon: DockerClient, pid: int) -> list[Container]:
    found = daemon.containers.list(all=True, filters={"label": LABEL_OWNER}, ignore_removed=True)
    return [
        one
        for one in found
        if one.labels[LABEL_OWNER].split("|")[1] == str(pid) and not one.labels[LABEL_SHARED]
    ]


def _shared_in(daemon: DockerClient, folder: Path) -> list[Container]:
    filters = {"label": f"{LABEL_SHARED}={folder}"}
    found: list[Container] = daemon.containers.list(all=True, filters=filters)
    return found


def _until(holds: Callable[[], object], *, limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def _program(text: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_shared_node_answers_with_the_pinned_version(node: SharedNode) -> None:
    status = ask_status(node.endpoint)
    assert status.version == node.version == NODE_VERSION
    assert status.genesis_commitment == node.genesis_commitment


def test_chain_grows_by_itself(node_endpoint: str) -> None:
    before = ask_status(node_endpoint).chain_tip
    _until(lambda: ask_status(node_endpoint).chain_tip > before)


def test_proxy_cuts_and_heals_the_way_to_a_real_node(node_endpoint: str) -> None:
    url = urlsplit(node_endpoint)

    async def run() -> None:
        async with FaultProxy(url.hostname or "", url.port or 0) as proxy:
            await asyncio.to_thread(ask_status, proxy.endpoint)
            await proxy.cut()
            with pytest.raises(CouldNotRun, match=r"UNAVAILABLE"):
                await asyncio.to_thread(ask_status, proxy.endpoint)
            await proxy.freeze()
            with pytest.raises(CouldNotRun, match=r"DEADLINE_EXCEEDED|UNAVAILABLE"):
                await asyncio.to_thread(ask_status, proxy.endpoint, timeout_s=0.5)
            await proxy.heal()
            await asyncio.to_thread(wait_for_status, proxy.endpoint, timeout_s=60)

    asyncio.run(run())


def test_life_of_a_container(node_image: str, daemon: DockerClient) -> None:
    """Published on loopback only, not root, healthy, frozen and back, stopped with code 0."""
    with NodeContainer(node_image) as node:
        container = daemon.containers.get(node.container_id)
        addresses = container.attrs["NetworkSettings"]["Ports"]["57291/tcp"]
        assert [address["HostIp"] for address in addresses] == ["127.0.0.1"]
        assert node.endpoint == f"http://127.0.0.1:{addresses[0]['HostPort']}"
        assert container.exec_run("id -u").output == b"10001\n"
        assert container.exec_run("test -s /etc/ssl/certs/ca-certificates.crt").exit_code == 0
        assert "entrypoint: bootstrapping a new network" in node.logs()

        node.pause()
        with pytest.raises(CouldNotRun, match=r"DEADLINE_EXCEEDED|UNAVAILABLE"):
            ask_status(node.endpoint, timeout_s=0.5)
        node.unpause()
        wait_for_status(node.endpoint, timeout_s=60)
        _until(lambda: _health(container) == "healthy")

        container.stop(timeout=10)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
        assert node.logs(1) == "entrypoint: stopped\n"
        assert not node.is_running()
    assert not _owned_by(daemon, os.getpid())


def _health(container: Container) -> str:
    container.reload()
    return str(container.attrs["State"]["Health"]["Status"])


def test_restart_keeps_the_network_and_the_end_of_one_part_ends_both(
    node_image: str, daemon: DockerClient
) -> None:
    with NodeContainer(node_image) as node:
        container = daemon.containers.get(node.container_id)
        container.restart(timeout=10)
        container.reload()
        port = container.attrs["NetworkSettings"]["Ports"]["57291/tcp"][0]["HostPort"]
        again = wait_for_status(f"http://127.0.0.1:{port}", timeout_s=60)
        assert again.genesis_commitment == node.first_status.genesis_commitment

        container.exec_run(["bash", "-c", _KILL_VALIDATOR])
        assert container.wait(timeout=60)["StatusCode"] == 137
        assert "a part of the node ended by itself (exit code 137)" in node.logs(20)


_KILL_VALIDATOR = (
    "for folder in /proc/[0-9]*; do read -r name <$folder/comm; "
    "[[ $name == miden-validator ]] && kill -9 ${folder#/proc/}; done"
)


def test_foreign_data_directory_is_refused(node_image: str, daemon: DockerClient) -> None:
    fill = "touch /data/letters && exec entrypoint.sh"
    container = daemon.containers.run(
        node_image, entrypoint=["bash", "-c", fill], network_mode="none", detach=True
    )
    try:
        assert container.wait(timeout=60)["StatusCode"] == 64
        assert b"/data holds files but no network" in container.logs()
    finally:
        container.remove(force=True)


def test_bootstrap_that_was_cut_short_is_done_again(node_image: str, daemon: DockerClient) -> None:
    cut = "mkdir /data/node && touch /data/node/half /data/.bootstrapping && exec entrypoint.sh"
    container = daemon.containers.run(
        node_image, entrypoint=["bash", "-c", cut], network_mode="none", detach=True
    )
    try:
        _until(lambda: b"Server initialized" in container.logs(), limit_s=60)
    finally:
        container.remove(force=True)


def test_failed_start_shows_the_log_and_leaves_nothing(
    node_image: str, daemon: DockerClient
) -> None:
    node = NodeContainer(node_image, settings={"MIDEN_NODE_BLOCK_INTERVAL": "often"})
    with pytest.raises(
        CouldNotRun, match=r"(?s)ended by itself.*last lines.*invalid value 'often'"
    ):
        node.start()
    assert not _owned_by(daemon, os.getpid())


def test_start_that_takes_too_long_shows_the_log_and_leaves_nothing(
    node_image: str, daemon: DockerClient
) -> None:
    with pytest.raises(CouldNotRun, match=r"(?s)did not answer within 1 s.*entrypoint: bootstrap"):
        NodeContainer(node_image, start_timeout_s=1).start()
    assert not _owned_by(daemon, os.getpid())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_start_leaves_nothing(
    number: signal.Signals, node_image: str, daemon: DockerClient
) -> None:
    with _program(OWNER, node_image) as owner:
        _until(lambda: _owned_by(daemon, owner.pid))
        owner.send_signal(number)
        assert owner.wait(60) not in {0, -signal.SIGKILL}
    assert not _owned_by(daemon, owner.pid)


def test_killed_owners_container_goes_at_the_next_start(
    node_image: str, daemon: DockerClient
) -> None:
    with _program(OWNER, node_image) as owner:
        _until(lambda: _owned_by(daemon, owner.pid))
        owner.kill()
    _until(lambda: sweep_abandoned(daemon) or not _owned_by(daemon, owner.pid))
    assert not _owned_by(daemon, owner.pid)


@pytest.mark.usefixtures("own_nodes_only")
def test_processes_share_one_node_and_the_last_removes_it(
    tmp_path: Path, daemon: DockerClient
) -> None:
    users = [_program(USER, str(tmp_path)) for _ in range(3)]
    try:
        lines = {user.stdout.readline() for user in users if user.stdout is not None}
        assert len(lines) == 1
        assert len(_shared_in(daemon, tmp_path)) == 1
        users[0].kill()
        users[1].communicate("leave\n", timeout=60)
        assert len(_shared_in(daemon, tmp_path)) == 1
        users[2].communicate("leave\n", timeout=60)
        assert not _shared_in(daemon, tmp_path)
    finally:
        for user in users:
            user.kill()
            user.communicate()
        node_down(folder=tmp_path)


@pytest.mark.usefixtures("own_nodes_only")
def test_node_started_by_hand_stays_until_it_is_taken_down(
    tmp_path: Path, daemon: DockerClient
) -> None:
    state = node_up(folder=tmp_path)
    try:
        with _program(USER, str(tmp_path)) as user:
            assert user.stdout is not None
            assert user.stdout.readline().split() == [state.endpoint, state.container_id]
            seen = node_status(folder=tmp_path)
            assert seen is not None
            assert (seen.kept, seen.user_pids) == (True, (user.pid,))
            user.communicate("leave\n", timeout=60)
        assert node_up(folder=tmp_path).container_id == state.container_id
    finally:
        assert node_down(folder=tmp_path)
    assert not _shared_in(daemon, tmp_path)
    assert node_status(folder=tmp_path) is None


@pytest.mark.usefixtures("own_nodes_only")
def test_shared_node_that_died_is_replaced(tmp_path: Path, daemon: DockerClient) -> None:
    dead = node_up(folder=tmp_path)
    try:
        daemon.containers.get(dead.container_id).kill()
        with pytest.raises(CouldNotRun, match=r"no status from a Miden node"):
            node_status(folder=tmp_path)
        assert node_up(folder=tmp_path).container_id != dead.container_id
        assert len(_shared_in(daemon, tmp_path)) == 1
    finally:
        node_down(folder=tmp_path)


def test_binary_of_the_wrong_kind_is_named(tmp_path: Path) -> None:
    for name in ("miden-node", "miden-validator"):
        shutil.copy(shutil.which("true") or "/bin/true", tmp_path / name)
    with pytest.raises(CouldNotRun, match=r"wrong binary: miden-node .*wanted 'miden-node 0.15.2'"):
        ensure_node_image(print, environment={"HARNESS_NODE_IMAGE": str(tmp_path)})
