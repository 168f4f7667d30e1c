"""What is measured in a process of its own: ``python programs.py NAME`` prints one number.

The times are CPU seconds of the work alone, the memory is in bytes. They run with this version of
the harness and with earlier ones, whose modules lay elsewhere.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import time
from importlib import import_module

TASKS = 10_000


def ring():
    """Pass a token round 100 tasks, from queue to queue."""

    async def main():
        queues = [asyncio.Queue() for _ in range(100)]

        async def pass_on(number):
            for _ in range(200):
                await queues[(number + 1) % 100].put(await queues[number].get())

        queues[0].put_nowait("token")
        await asyncio.gather(*(pass_on(number) for number in range(100)))

    return timed(lambda: [simulated(main) for _ in range(30)])


def sleeps():
    """Let 100 tasks sleep 6,000 times each."""

    async def main():
        async def tick(number):
            for _ in range(6_000):
                await asyncio.sleep(1 + number / 100)

        await asyncio.gather(*(tick(number) for number in range(100)))

    return timed(lambda: simulated(main))


def runs():
    """Carry out short simulations, so that what one costs beside its steps counts."""

    async def main():
        await asyncio.gather(*(asyncio.to_thread(len, "") for _ in range(3)))

    return timed(lambda: [simulated(main, seed) for seed in range(1_500)])


def linearizable():
    """Judge histories of a map."""
    found = either("harness.consistency", "harness.linearizability")
    draw, calls, content = random.Random(1), [], {}
    for number in range(2_000):
        key, begin = draw.randrange(5), float(number)
        written = number if draw.random() < 0.5 else None
        content[key] = content.get(key) if written is None else written
        calls.append(
            found.Call(
                process=number % 10,
                operation="read" if written is None else "write",
                arguments=(key,) if written is None else (key, written),
                begin=begin,
                end=begin + 1 + 5 * draw.random(),
                result=content[key] if written is None else None,
            )
        )
    return timed(lambda: [found.check(calls, found.Map()) for _ in range(1_000)])


def idle():
    """Hold 10,000 tasks that wait for an event, in a simulation: bytes."""
    return simulated(waiting_tasks)


def stock_idle():
    """Hold the same on stock asyncio: bytes."""
    return asyncio.run(waiting_tasks())


async def waiting_tasks():
    import harness.simulated.simulation  # noqa: F401, PLC0415 - both sides begin with the same

    async def wait():
        await event.wait()

    event, before = asyncio.Event(), resident()
    tasks = [asyncio.create_task(wait()) for _ in range(TASKS)]
    await asyncio.sleep(0)
    held = resident() - before
    event.set()
    await asyncio.gather(*tasks)
    return held


def resident():
    with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123 - measured too
        return int(pages.read().split()[1]) * resource.getpagesize()


def simulated(main, seed=1):
    outcome = import_module("harness.simulated.simulation").simulate(main, seed=seed)
    assert outcome.error is None, outcome.error
    return outcome.value


def either(*names):
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(names[0])


def timed(work):
    begin_s = time.process_time()
    work()
    return time.process_time() - begin_s


PROGRAMS = {one.__name__: one for one in (ring, sleeps, runs, linearizable, idle, stock_idle)}

if __name__ == "__main__":
    print(PROGRAMS[sys.argv[1]]())
