"""Claims: a client that cannot start says why, in time, and leaves its directory free."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from serve import errors
from serve.domain.address import Network
from serve.miden import MidenClientFactory

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def silent_endpoint() -> Iterator[str]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed_endpoint() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


def spawn(directory, endpoint, *, dial_timeout_s=0.3, request_timeout_s=10.0):
    factory = MidenClientFactory({Network.LOCALNET: endpoint}, request_timeout_s)
    return factory.spawn(directory, Network.LOCALNET, dial_timeout_s=dial_timeout_s)


def test_a_node_that_never_answers_meets_the_dial_deadline(tmp_path, silent_endpoint):
    with pytest.raises(errors.DialTimedOut, match=r"did not answer within 0\.300 s"):
        asyncio.run(spawn(tmp_path / "client", silent_endpoint))


def test_the_request_deadline_holds_while_dialling(tmp_path, silent_endpoint):
    with pytest.raises(errors.DialTimedOut, match="Timeout expired"):
        asyncio.run(
            spawn(tmp_path / "client", silent_endpoint, dial_timeout_s=3600, request_timeout_s=0.3)
        )


def test_a_closed_port_is_unreachable_with_every_cause_kept(tmp_path, closed_endpoint):
    with pytest.raises(errors.NodeUnreachable, match="Connection refused") as caught:
        asyncio.run(spawn(tmp_path / "client", closed_endpoint))
    cause: Any = caught.value.__cause__
    assert cause.code == "node_unreachable"
    assert cause.chain[0] == "RPC error"
    assert "Connection refused" in cause.chain[-1]
    assert all("\n" not in text and "\x1b" not in text for text in cause.chain)


@pytest.mark.parametrize("endpoint", ["", "::::", "localhost:57291", "ftp://localhost", "http://"])
def test_an_endpoint_that_cannot_be_is_refused(tmp_path, endpoint):
    with pytest.raises(errors.InvalidInput, match="endpoint must be http://host:port"):
        asyncio.run(spawn(tmp_path / "client", endpoint))
    assert not (tmp_path / "client").exists()


def test_a_network_without_an_endpoint_is_refused(tmp_path):
    factory = MidenClientFactory({Network.LOCALNET: "http://127.0.0.1:1"})
    with pytest.raises(errors.UnsupportedNetwork, match="this factory has: Localnet"):
        asyncio.run(factory.spawn(tmp_path, Network.TESTNET, dial_timeout_s=1))


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_deadline_that_is_none_is_refused(tmp_path, seconds):
    with pytest.raises(errors.InvalidInput, match="dial_timeout_s must be a finite number"):
        asyncio.run(spawn(tmp_path, "http://127.0.0.1:1", dial_timeout_s=seconds))


def test_a_directory_is_held_from_the_first_moment(tmp_path, silent_endpoint):
    async def two_at_once():
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_outcome(spawn(tmp_path / "client", silent_endpoint)))
                for _ in range(2)
            ]
        return {type(task.result()) for task in tasks}

    assert asyncio.run(two_at_once()) == {errors.DialTimedOut, errors.ClientStoreInUse}


def test_a_failed_start_can_be_tried_again_at_once(tmp_path, closed_endpoint):
    async def five_times():
        return [type(await _outcome(spawn(tmp_path / "client", closed_endpoint))) for _ in range(5)]

    assert asyncio.run(five_times()) == [errors.NodeUnreachable] * 5


def test_a_cancelled_start_has_given_its_directory_back(tmp_path, silent_endpoint, closed_endpoint):
    async def cancel_then_spawn():
        # It could dial for an hour; nothing but the cancellation ends it within the test's limit.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await spawn(tmp_path / "client", silent_endpoint, dial_timeout_s=3600)
        return type(await _outcome(spawn(tmp_path / "client", closed_endpoint)))

    assert asyncio.run(cancel_then_spawn()) is errors.NodeUnreachable


@pytest.mark.parametrize("name", ["miden.sqlite3", "keystore"])
def test_files_that_this_client_did_not_make_are_refused(tmp_path, name, closed_endpoint):
    (tmp_path / name).touch()
    with pytest.raises(errors.ClientStoreFailed, match=r"client\.marker does not"):
        asyncio.run(spawn(tmp_path, closed_endpoint))
    assert (tmp_path / name).stat().st_size == 0


async def _outcome(coroutine):
    try:
        return await coroutine
    except errors.ServeError as error:
        return error
