"""A process with a service in it, which kills itself at its n-th arrival at a point or command.

Arguments: the storage path, and n; with 0 it lives, and prints how many arrivals there were. Each
answer that a caller got is printed at once: the user's number, the request key, the address.
"""

import asyncio
import os
import signal
import sys

from serve import Serve, Synchronous
from serve.points import hooked
from tests.serve.disk_clients import DiskClientFactory
from tests.serve.service.killed_orders import KEYS, NETWORKS, USERS, order_of


class Fate:
    """Counts the arrivals, and kills the process at one of them."""

    def __init__(self, last):
        self.last = last
        self.seen = 0

    def count(self):
        self.seen += 1
        if self.seen == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    async def arrive(self, name, key):
        self.count()

    def failure(self, name, key):
        self.count()


class FatedClientFactory(DiskClientFactory):
    """Starts clients at whose commands the process may be killed."""

    def __init__(self, fate):
        super().__init__()
        self.fate = fate

    async def pass_point(self, point, client=None):
        self.fate.count()
        await asyncio.sleep(0)


async def create(service, user, network, key):
    made = await service.create_account_order(USERS[user], order_of(key, network), request_key=key)
    line = f"{user} {network.value} {key} {made.account_id}\n"
    os.write(1, line.encode())


async def live(path, fate):
    clients = FatedClientFactory(fate)
    with hooked(fate):
        # What the operating system has, a killed process leaves there: no need to wait for a disk.
        async with Serve(path, clients, synchronous=Synchronous.OFF) as service:
            await asyncio.gather(
                *(
                    create(service, user, network, key)
                    for key in KEYS
                    for network in NETWORKS
                    for user in range(len(USERS))
                )
            )


if __name__ == "__main__":
    fates = Fate(int(sys.argv[2]))
    asyncio.run(live(sys.argv[1], fates))
    os.write(1, f"arrivals {fates.seen}\n".encode())
