"""The entries about data: rows, counters, sums and versions that several tasks change."""

from __future__ import annotations

import asyncio
import random
from contextlib import nullcontext

from tests.sensitivity.zoo.entry import disk, turns, zoo_entry

__all__ = ["ENTRIES"]


@zoo_entry(hazard="lost update across an await", symptom="count == 3")
async def lost_update(mended: bool) -> None:
    """Every increment counts."""
    count, lock = 0, asyncio.Lock()

    async def increment(after):
        nonlocal count
        await turns(after)
        async with lock if mended else nullcontext():
            seen = count
            await turns()
            count = seen + 1

    await asyncio.gather(*(increment(3 * number) for number in range(3)))
    assert count == 3


@zoo_entry(hazard="a pair is written in two steps", symptom="total == 100")
async def half_written_pair(mended: bool) -> None:
    """A reader sees both halves of a change, or none."""
    pair, total, lock = [50, 50], 100, asyncio.Lock()

    async def write():
        async with lock if mended else nullcontext():
            pair[0] = 80
            await turns()
            pair[1] = 20

    async def read():
        nonlocal total
        await turns(4)
        async with lock if mended else nullcontext():
            total = sum(pair)

    await asyncio.gather(write(), read())
    assert total == 100


@zoo_entry(hazard="a sum is read in two steps", symptom="seen == 100")
async def sum_not_conserved(mended: bool) -> None:
    """An audit sees all the money, wherever it is."""
    accounts, seen, lock = {"a": 100, "b": 0}, 0, asyncio.Lock()

    async def audit():
        nonlocal seen
        async with lock if mended else nullcontext():
            for name in ("a", "b"):
                seen += accounts[name]
                await turns()

    async def transfer():
        await turns(6)
        async with lock if mended else nullcontext():
            accounts["a"] -= 30
            accounts["b"] += 30

    await asyncio.gather(audit(), transfer())
    assert seen == 100


@zoo_entry(hazard="two writers tear a register", symptom="len(set(cells)) == 1")
async def torn_register(mended: bool) -> None:
    """The last writer's value stands, whole."""
    cells, lock = [0, 0, 0], asyncio.Lock()

    async def write(value, after):
        await turns(after)
        async with lock if mended else nullcontext():
            for position in range(3):
                cells[position] = value
                await turns()

    await asyncio.gather(write(1, 0), write(2, 6))
    assert len(set(cells)) == 1


@zoo_entry(hazard="ABA: compared with a value that came back", symptom="not set(stack)")
async def aba(mended: bool) -> None:
    """What was taken from the stack is on it no more."""
    stack, taken, version = ["a", "b", "c"], [], 0

    async def take_one():
        top, rest, seen = stack[0], stack[1:], version
        await turns()
        if stack[0] == top and (not mended or version == seen):
            stack[:] = rest
            taken.append(top)

    async def take_two_and_put_one_back():
        nonlocal version
        await turns(4)
        if stack[0] != "a":
            return
        for _ in range(2):
            taken.append(stack.pop(0))
            version += 1
            await turns()
        stack.insert(0, taken.pop(0))
        version += 1

    await asyncio.gather(take_one(), take_two_and_put_one_back())
    assert not set(stack) & set(taken)


@zoo_entry(hazard="a limit is read before the await", symptom="used <= 2", ids="I-31")
async def limit_read_too_early(mended: bool) -> None:
    """No more than two calls pass in one window."""
    used = 0

    async def call(after):
        nonlocal used
        await turns(after)
        if mended:
            if used < 2:
                used += 1
            return
        free = used < 2
        await turns()
        if free:
            used += 1

    await asyncio.gather(*(call(4 * number) for number in range(4)))
    assert used <= 2


@zoo_entry(hazard="a seat looked for, paid for, then taken", symptom="len(set(sold))", ids="I-29")
async def ticket_sold_twice(mended: bool) -> None:
    """No seat is sold twice."""
    free, sold = ["1a", "1b"], []

    async def buy(after):
        await turns(after)
        if not free:
            return
        seat = free.pop(0) if mended else free[0]
        await turns(2)
        if seat in free:
            free.remove(seat)
        sold.append(seat)

    await asyncio.gather(*(buy(5 * number) for number in range(2)))
    assert len(set(sold)) == len(sold)


@zoo_entry(hazard="changed while it is gone through", symptom="for name in", ids="I-27")
async def changed_while_listed(mended: bool) -> None:
    """A listing ends, whoever is added meanwhile."""
    users = dict.fromkeys(("ann", "bob"), 0)

    async def listing():
        for name in list(users) if mended else users:
            await turns()
            assert name

    async def add():
        await turns(5)
        users["eve"] = 1

    await asyncio.gather(listing(), add())


@zoo_entry(hazard="idempotency key kept after the effect", symptom="effects == 1", production=True)
async def key_checked_too_late(mended: bool) -> None:
    """A request that is sent twice takes effect once."""
    seen: set[str] = set()
    effects = 0

    async def request(after_s):
        nonlocal effects
        await asyncio.sleep(after_s)
        if "key" in seen:
            return
        if mended:
            seen.add("key")
        await disk()
        effects += 1
        seen.add("key")

    await asyncio.gather(request(0), request(0.006))
    assert effects == 1


@zoo_entry(
    hazard="a cache is filled after it was emptied",
    symptom="cache.get",
    production=True,
    ids="I-28",
)
async def stale_cache(mended: bool) -> None:
    """Who wrote reads what it wrote."""
    row, cache, version = "old", {}, 0

    async def read():
        seen, value = version, row
        await disk(2)
        if not mended or seen == version:
            cache["row"] = value

    async def write():
        nonlocal row, version
        await asyncio.sleep(0.011)
        row = "new"
        version += 1
        cache.clear()

    await asyncio.gather(read(), write())
    assert cache.get("row", row) == row


@zoo_entry(
    hazard="account visible before its key is kept",
    symptom="keys[name]",
    production=True,
    shrunk=2,
    ids="I-24, H-03",
)
async def account_before_its_key(mended: bool) -> None:
    """Every account that is listed can sign."""
    accounts: list[str] = []
    keys: dict[str, str] = {}

    async def create(name):
        if not mended:
            await asyncio.to_thread(accounts.append, name)
        await asyncio.to_thread(keys.__setitem__, name, "key")
        if mended:
            await asyncio.to_thread(accounts.append, name)

    async def sign_all():
        await asyncio.sleep(0.011)
        for name in accounts:
            assert keys[name]

    await asyncio.gather(create("ann"), sign_all())


@zoo_entry(
    hazard="a lease ends while its holder works on", symptom="len(log)", production=True, ids="I-35"
)
async def lease_without_fence(mended: bool) -> None:
    """Who no longer holds the lease writes nothing."""
    loop = asyncio.get_running_loop()
    holder, until_s, log = None, 0.0, []

    async def work(name, after_s):
        nonlocal holder, until_s
        await asyncio.sleep(after_s)
        if loop.time() < until_s:
            return
        holder, until_s = name, loop.time() + 0.011
        await disk(2)
        if not mended or holder == name:
            log.append(holder == name)

    await asyncio.gather(work("a", 0.0), work("b", 0.012))
    assert all(log), len(log)


@zoo_entry(hazard="jitter lets retries meet", symptom="at_once < 3", depth=0, production=True)
async def retries_meet(mended: bool) -> None:
    """Three clients that back off do not come back together."""
    at_once, slots = 0, asyncio.Semaphore(2)

    async def retry():
        nonlocal at_once
        await asyncio.sleep(random.uniform(0, 1))
        async with slots if mended else nullcontext():
            at_once += 1
            assert at_once < 3
            await asyncio.sleep(0.05)
            at_once -= 1

    await asyncio.gather(*(retry() for _ in range(3)))


ENTRIES = (
    lost_update,
    half_written_pair,
    sum_not_conserved,
    torn_register,
    aba,
    limit_read_too_early,
    ticket_sold_twice,
    changed_while_listed,
    key_checked_too_late,
    stale_cache,
    account_before_its_key,
    lease_without_fence,
    retries_meet,
)
