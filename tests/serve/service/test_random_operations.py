"""Claim: no order of operations, faults, cancellations and restarts loses anything.

Each seed is a run on the virtual loop: four users, both networks, two lives of the service. Spawns
and commands fail, time out, or kill their client; callers are cancelled, and clients flushed.
"""

import asyncio
import random
from collections import Counter

import pytest

from harness.simulated.simulation import simulate
from serve import CreateClient, CreateFaucet, Deadlines, Network, Serve, ServeError
from serve.errors import ClientClosed, NodeUnreachable

USERS = [bytes([number]) * 32 for number in range(4)]
LIMITS = Deadlines(spawn_s=0.55, command_s=2.5, close_s=5, drain_s=60)


class Troubles:
    """What a factory of the tests meets at every point: delays, and errors until it is healed."""

    def __init__(self, factory, choices):
        self.factory = factory
        self.choices = choices
        self.is_healed = False
        factory.pass_point = self.pass_point

    async def pass_point(self, point, client=None):
        await asyncio.sleep(self.choices.uniform(0, 0.2 if self.is_healed else 0.3))
        if self.is_healed or point == "close" or self.choices.random() > 0.04:
            return
        if client is not None and self.choices.random() < 0.5:
            client.closed = True
            self.factory.dead.append(client)
            raise ClientClosed(f"died in {point}")
        raise NodeUnreachable(f"no node in {point}")


async def do_something(serve, choices, made):
    user, network = choices.choice(USERS), choices.choice(list(Network))
    orders = (
        CreateClient(network=network, name="x"),
        CreateFaucet(network=network, token_symbol="A", decimals=1, max_supply=5),
    )
    kind = choices.randrange(8)
    if kind < 4:
        await serve.create_account_order(user, choices.choice(orders))
        made[user] += 1
    elif kind == 4:
        await (await serve.get_client(user, network)).list_accounts()
    elif kind == 5:
        await serve.client_sync(user, network)
    elif kind == 6:
        await serve.flush_clients_for_secret(user)
    else:
        await serve.list_accounts(user)


async def trouble(serve, choices, made, outcomes):
    await asyncio.sleep(choices.uniform(0, 3))
    task = asyncio.create_task(do_something(serve, choices, made))
    if choices.random() < 0.2:
        await asyncio.sleep(choices.uniform(0, 1))
        task.cancel()
    await asyncio.wait([task])
    error = None if task.cancelled() else task.exception()
    outcomes["cancelled" if task.cancelled() else type(error).__name__] += 1
    if error is not None and not isinstance(error, ServeError):
        raise error


async def settled_problems(serve, made):
    findings = list(await serve.audit())
    for user in USERS:
        for network in Network:
            await serve.client_sync(user, network)
        orders = Counter(order.status for order in await serve.list_orders_for_user(user))
        listed = len((await serve.list_accounts(user)).client_accounts)
        if orders["pending"] or not made[user] <= orders["succeeded"] == listed:
            findings.append(f"{made[user]} were made, {listed} are listed, orders: {orders}")
    return [*findings, *await serve.audit()]


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_doubled_or_left_open(tmp_path, clients, seed):
    choices = random.Random(seed)
    troubles = Troubles(clients, choices)
    made, outcomes, findings = Counter(), Counter(), []

    async def live():
        troubles.is_healed = False
        async with Serve(tmp_path, clients, deadlines=LIMITS, open_files_max=2) as serve:
            async with asyncio.TaskGroup() as group:
                for _ in range(40):
                    group.create_task(trouble(serve, choices, made, outcomes))
            await asyncio.sleep(60)  # What was cancelled goes on, and has ended by then.
            troubles.is_healed = True
            findings.extend(await settled_problems(serve, made))

    async def live_twice():
        await live()
        await live()

    run = simulate(live_twice, seed=seed)
    assert (run.error, run.diagnosis, run.unhandled) == (None, None, ())
    assert findings == []
    assert (clients.overlaps, clients.occupied) == ([], [])
    assert {"NoneType", "cancelled", "ClientClosed", "NodeUnreachable"} <= outcomes.keys()
