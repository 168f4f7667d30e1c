"""Claim: an interpreter that exits while clients work never aborts."""

from __future__ import annotations

import collections
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

EXITS = 100

# Each client's answer comes at another moment around the exit: in the middle of the finalisation
# for some of them, never for others.
SCRIPT = """
import random, select, sys, time
import mosaic_miden_client as native

directory, endpoint, run = sys.argv[1], sys.argv[2], int(sys.argv[3])
chance = random.Random(run)
mailbox = native.Mailbox()
clients = []
for number in range(6):
    client, _ = native.Client.open(
        mailbox, f"{directory}/{number}", endpoint, "localnet",
        dial_timeout_s=chance.choice([0.005, 0.01, 0.02, 60.0]),
        request_timeout_s=60.0, sync_timeout_s=60.0, queue_length_max=1024,
    )
    for _ in range(20):
        client.sync(mailbox)
    clients.append(client)
deadline = time.monotonic() + chance.uniform(0.0, 0.03)
while run % 2 and time.monotonic() < deadline:
    select.select([mailbox], [], [], 0.001)
    mailbox.drain()
time.sleep(max(0.0, deadline - time.monotonic()))
sys.exit(7)
"""


@pytest.mark.timeout(280)
def test_a_hundred_exits_in_the_middle_of_work_end_without_an_abort(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        codes = collections.Counter(
            subprocess.run(
                [sys.executable, "-c", SCRIPT, str(tmp_path / str(run)), endpoint, str(run)],
                env=os.environ | {"PYTHONFAULTHANDLER": "1"},
                timeout=60,
                check=False,
            ).returncode
            for run in range(EXITS)
        )
    assert codes == {7: EXITS}
