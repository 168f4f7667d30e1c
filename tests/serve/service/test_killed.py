"""Claim: a process killed at any moment has lost nothing that it answered, and doubles nothing.

The process is killed with SIGKILL at a drawn arrival at a point of the service or in a client, or
at a drawn moment after a drawn answer. Its storage is opened again: the sweep at the start decides
what was left, and every request is made again with its key.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serve import AccountId, Serve, Synchronous, decode_address, owner_identifier
from tests.serve.disk_clients import DiskClientFactory
from tests.serve.service.killed_orders import KEYS, NETWORKS, USERS, order_of

ROOT = Path(__file__).parents[3]
MOMENTS = 50


def begun(path, last):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.serve.service.killed_service", str(path), str(last)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # Where only what is installed is found.
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def arrivals(tmp_path_factory):
    """Count the arrivals of a life that nobody ends."""
    with begun(tmp_path_factory.mktemp("lives"), 0) as process:
        *answers, last = process.stdout.read().splitlines()
    assert process.returncode == 0
    assert len(answers) == len(USERS) * len(NETWORKS) * len(KEYS)
    return int(last.removeprefix("arrivals "))


def answers_until_killed(path, draw, arrivals):
    """Let a process run and be killed; return what it answered: by user, network and key."""
    at_arrival = draw.random() < 0.6
    lines = []
    with begun(path, draw.randrange(1, arrivals + 1) if at_arrival else 0) as process:
        if not at_arrival:
            lines += [process.stdout.readline() for _ in range(draw.randrange(1, 20))]
            for _ in range(draw.randrange(20_000)):
                pass  # It goes on meanwhile.
            os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    words = [line.split() for line in lines]
    return {tuple(word[:3]): word[3] for word in words if len(word) == 4}


@pytest.mark.parametrize("seed", range(MOMENTS))
async def test_nothing_answered_is_lost_and_nothing_doubled(tmp_path, arrivals, seed):
    draw = random.Random(seed)
    answered = answers_until_killed(tmp_path, draw, arrivals)
    clients = DiskClientFactory()
    async with Serve(tmp_path, clients, synchronous=Synchronous.OFF) as service:
        await service.settled()
        # The sweep has decided all that was left: nobody had to come back.
        for user in USERS:
            left = [o.status for o in await service.list_orders_for_user(user)]
            assert "pending" not in left
        for number, user in enumerate(USERS):
            for network in NETWORKS:
                for key in KEYS:
                    made = await service.create_account_order(
                        user, order_of(key, network), request_key=key
                    )
                    before = answered.get((str(number), network.value, key))
                    assert before in (None, made.account_id)
            listed = (await service.list_accounts(user)).client_accounts
            orders = await service.list_orders_for_user(user)
            assert len(listed) == len(NETWORKS) * len(KEYS)
            assert [str(o.status) for o in orders].count("succeeded") == len(listed)
            held = {decode_address(entry.account_id)[1] for entry in listed}
            folders = tmp_path.glob(f"*_{owner_identifier(user)}/held/*")
            on_disk = {AccountId.from_hex(file.name) for file in folders}
            assert held == on_disk
        assert await service.audit() == ()
