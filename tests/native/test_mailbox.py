"""Claims: answers reach any loop, idle loops are not watched, nobody waits with the GIL."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import mosaic_miden_client as native
import pytest

from serve.domain.address import AccountId, Network, encode_address
from serve.miden.mailbox import Mailboxes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def silent_endpoint() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def start(
    mailbox: native.Mailbox, directory: Path, endpoint: str, *, dial_timeout_s: float = 60.0
) -> tuple[native.Client, native.Ticket]:
    opened: tuple[native.Client, native.Ticket] = native.Client.open(
        mailbox,
        directory,
        endpoint,
        "localnet",
        dial_timeout_s=dial_timeout_s,
        request_timeout_s=60.0,
        sync_timeout_s=60.0,
        queue_length_max=4,
    )
    return opened


def letters(mailbox: native.Mailbox, count: int) -> dict[int, native.MidenError | None]:
    found: dict[int, native.MidenError | None] = {}
    while len(found) < count:
        ready, _, _ = select.select([mailbox], [], [], 10)
        assert ready, f"{count - len(found)} answers are missing"
        found |= {ticket: error for ticket, _, error, _ in mailbox.drain()}
    return found


def test_a_killed_client_answers_all_who_wait(tmp_path, silent_endpoint):
    mailbox = native.Mailbox()
    client, opened = start(mailbox, tmp_path / "client", silent_endpoint)
    waiting = [client.list_accounts(mailbox) for _ in range(4)]
    assert not client.closed
    client.kill()
    assert client.closed
    answers = letters(mailbox, 5)
    assert answers.keys() == {ticket.id for ticket in [opened, *waiting]}
    assert {error.code for error in answers.values() if error} == {"client_closed"}
    with pytest.raises(native.MidenError, match=r"could not be started|was killed") as caught:
        client.sync(mailbox)
    assert caught.value.code == "client_closed"


def test_a_full_queue_is_busy_at_once(tmp_path, silent_endpoint):
    mailbox = native.Mailbox()
    client, _ = start(mailbox, tmp_path / "client", silent_endpoint)
    for _ in range(4):
        client.sync(mailbox)
    with pytest.raises(native.MidenError, match="already has 4 commands waiting") as caught:
        client.sync(mailbox)
    assert caught.value.code == "busy"
    client.kill()


def test_closing_twice_is_answered_twice(tmp_path, silent_endpoint):
    mailbox = native.Mailbox()
    client, opened = start(mailbox, tmp_path / "client", silent_endpoint, dial_timeout_s=0.1)
    tickets = [opened, client.close(mailbox), client.close(mailbox)]
    answers = letters(mailbox, 3)
    codes = [getattr(answers[ticket.id], "code", None) for ticket in tickets]
    assert codes == ["dial_timeout", None, None]
    assert client.join(60)


def test_joining_leaves_the_gil_to_the_others(tmp_path, silent_endpoint):
    mailbox = native.Mailbox()
    client, _ = start(mailbox, tmp_path / "client", silent_endpoint, dial_timeout_s=3600)
    turns = 0
    ended = threading.Event()

    def count() -> None:
        nonlocal turns
        while not ended.is_set():
            turns += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        # Longer and longer, for a machine on which others hardly get a turn.
        for join_s in (0.3, 3, 30):
            before = turns
            assert not client.join(join_s)
            if turns - before > 20:
                break
        assert turns - before > 20
    finally:
        ended.set()
        counter.join()
        client.kill()


def test_a_loop_is_watched_only_while_somebody_waits(tmp_path, silent_endpoint):
    mailboxes = Mailboxes()

    async def open_and_fail() -> None:
        loop = asyncio.get_running_loop()
        mailbox = mailboxes.of_running_loop()
        _, opened = start(mailbox.native, tmp_path / "client", silent_endpoint, dial_timeout_s=0.05)
        assert not loop.remove_reader(mailbox.native.fileno())
        with pytest.raises(native.MidenError, match="did not answer"):
            await mailbox.answer(opened)
        assert not loop.remove_reader(mailbox.native.fileno())

    # Each loop has a mailbox of its own, and a closed loop leaves nothing behind.
    asyncio.run(open_and_fail())
    asyncio.run(open_and_fail())


def test_a_cancelled_wait_harms_no_other(tmp_path, silent_endpoint):
    async def cancel_one() -> None:
        mailbox = Mailboxes().of_running_loop()
        client, opened = start(mailbox.native, tmp_path / "client", silent_endpoint)
        first, second = (
            asyncio.create_task(mailbox.answer(client.sync(mailbox.native))) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        client.kill()
        for waiter in (second, asyncio.create_task(mailbox.answer(opened))):
            with pytest.raises(native.MidenError):
                await waiter
        assert first.cancelled()

    asyncio.run(cancel_one())


@pytest.mark.parametrize(
    ("decimals", "max_supply", "message"),
    [
        (13, 1, "decimals must be 0 to 12, got 13"),
        (-1, 1, "decimals must be 0 to 12, got -1"),
        (256, 1, "decimals must be 0 to 12, got 256"),
        (0, 0, "max_supply must be 1 to"),
        (0, 2**63 - 2**31 + 1, "max_supply must be 1 to"),
        (0, 2**64, "max_supply must be 1 to"),
        (0, 2**64 - 2**32 + 1 + 5, "max_supply must be 1 to"),
    ],
)
def test_a_token_out_of_range_is_refused_at_once(
    tmp_path, silent_endpoint, decimals, max_supply, message
):
    mailbox = native.Mailbox()
    client, _ = start(mailbox, tmp_path / "client", silent_endpoint)
    with pytest.raises(native.MidenError, match=message) as caught:
        client.prepare_faucet(mailbox, "ABC", decimals, max_supply, "public", "ecdsa")
    assert caught.value.code == "invalid_input"
    client.kill()


@pytest.mark.parametrize(("network", "prefix"), [("localnet", "mlcl"), ("testnet", "mtst")])
@pytest.mark.parametrize(
    "text", ["0xf60ebf944636ccf10b3e51c06bb190", "0x1fa2f0d9c3e8d2017a60b1c2d3e4f5"]
)
def test_the_service_writes_addresses_as_the_library_does(network, prefix, text):
    written = native.encode_address(text, network)
    assert written.startswith(f"{prefix}1")
    assert encode_address(AccountId.from_hex(text), Network.parse(network)) == written
