"""The claims about sharing a node, as far as they need no Docker."""

from __future__ import annotations

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from harness.errors import BadInput, CouldNotRun
from harness.miden.node.runtime_folder import runtime_folder
from harness.miden.node.shared_node import node_down, node_status, node_up, shared_node
from harness.miden.node.shared_state import SharedRecord, StateFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = SharedRecord(
    endpoint="http://127.0.0.1:1",
    container_id="c" * 64,
    image="node:1",
    version="0.15.2",
    genesis_commitment="0x" + "0" * 64,
    started_at=1.0,
)
JOIN = """
import sys
from pathlib import Path
from harness.miden.node.shared_state import StateFile
state = StateFile(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    with state.locked():
        record = state.read()
        state.write(record.with_user(f"{sys.argv[3]}-{number}"))
        {after}
"""


@pytest.fixture
def node(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that answers as a node does, named by the environment."""
    reply = b"\x0a\x060.15.2\x12\x09\x09\x01\0\0\0\0\0\0\0\x1d\x07\0\0\0"
    server = grpc.server(ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda _request, _context: reply)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("rpc.Api", {"Status": handler}),)
    )
    endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    monkeypatch.setenv("HARNESS_NODE_ENDPOINT", endpoint)
    # Whoever asks Docker all the same is told off.
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    yield endpoint
    server.stop(None).wait(5)


def test_named_node_is_used_without_docker(node: str) -> None:
    lines: list[str] = []
    with shared_node(lines.append) as shared:
        assert (shared.endpoint, shared.version, shared.container_id) == (node, "0.15.2", None)
    assert lines == [f"using the node at {node} (HARNESS_NODE_ENDPOINT)"]


def test_logs_of_a_named_node_say_why_there_are_none(node: str) -> None:
    with shared_node() as shared:
        assert shared.logs() == (
            "(no logs: HARNESS_NODE_ENDPOINT names this node, the harness did not start it)"
        )


def test_named_node_has_a_status(node: str, tmp_path: Path) -> None:
    state = node_status(folder=tmp_path)
    assert state is not None
    assert (state.endpoint, state.chain_tip, state.kept) == (node, 7, False)


def test_starting_by_hand_starts_nothing_beside_a_named_node(node: str, tmp_path: Path) -> None:
    lines: list[str] = []
    assert node_up(lines.append, folder=tmp_path).endpoint == node
    assert "nothing was started" in lines[0]


def test_named_node_that_is_no_url_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_NODE_ENDPOINT", "localhost:57291")
    with (
        pytest.raises(BadInput, match=r"HARNESS_NODE_ENDPOINT must be http://HOST:PORT"),
        shared_node(),
    ):
        pytest.fail("there is no node")


def test_no_docker_and_no_named_node_gives_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HARNESS_NODE_ENDPOINT", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    monkeypatch.delenv("HARNESS_NODE_IMAGE", raising=False)
    with pytest.raises(CouldNotRun, match=r"Docker does not answer"), shared_node(folder=tmp_path):
        pytest.fail("there is no node")
    assert StateFile(tmp_path).read() is None


def test_status_and_down_say_that_nothing_is_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HARNESS_NODE_ENDPOINT", raising=False)
    assert node_status(folder=tmp_path) is None
    assert node_down(folder=tmp_path) is False


def test_node_in_use_is_not_taken_down_but_no_longer_kept(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    state.write(SharedRecord(**{**_fields(), "kept": True}).with_user("me"))
    with pytest.raises(CouldNotRun, match=r"in use by process [0-9]+: it is no longer kept"):
        node_down(folder=tmp_path)
    record = state.read()
    assert record is not None
    assert not record.kept


def test_record_survives_being_written(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    record = RECORD.with_user("me")
    state.write(record)
    assert state.read() == record


@pytest.mark.parametrize("text", ["", "{", "[]", '{"endpoint": 1}', "null"])
def test_unreadable_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.json").write_text(text)
    assert StateFile(tmp_path).read() is None


def test_user_that_was_killed_does_not_count(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    state.write(RECORD.with_user("me"))
    _join(tmp_path, "1", "killed", after="import os; os.kill(os.getpid(), 9)").wait(30)
    assert '"killed-0"' in (tmp_path / "node.json").read_text()
    record = state.read()
    assert record is not None
    assert list(record.users) == ["me"]


def test_processes_that_join_at_once_lose_no_entry(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    state.write(RECORD)
    children = [_join(tmp_path, "20", name, after="pass", linger=True) for name in "abc"]
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == b"joined\n"
        record = state.read()
        assert record is not None
        assert len(record.users) == 60
        assert set(record.user_pids) == {child.pid for child in children}
    finally:
        for child in children:
            child.communicate(b"", timeout=30)


def test_runtime_folder_is_this_users_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert runtime_folder().stat().st_mode & 0o777 == 0o700


def test_runtime_folder_open_to_others_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runtime_folder().chmod(0o777)
    with pytest.raises(CouldNotRun, match=r"with mode 0700; remove it"):
        runtime_folder()


def test_runtime_folder_that_is_a_link_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = runtime_folder()
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CouldNotRun, match=r"must be a directory"):
        runtime_folder()


def test_port_of_nobody_is_free() -> None:
    # The record above names port 1: a test would mean something else if somebody listened there.
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 1)) != 0


def _fields() -> dict[str, Any]:
    return {name: getattr(RECORD, name) for name in RECORD.__slots__}


def _join(
    folder: Path, count: str, name: str, *, after: str, linger: bool = False
) -> subprocess.Popen[bytes]:
    program = JOIN.replace("{after}", after)
    if linger:
        program += 'print("joined", flush=True)\nsys.stdin.read()\n'
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder), count, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
