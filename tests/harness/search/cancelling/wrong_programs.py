"""Programs that pass until somebody is cancelled, each wrong in another way."""

from __future__ import annotations

import asyncio

__all__ = ["WRONG"]


async def a_lock_without_finally():
    lock = asyncio.Lock()

    async def use():
        await lock.acquire()
        await asyncio.sleep(0.01)
        lock.release()

    await asyncio.gather(use(), use())


async def a_retry_that_takes_everything():
    async def call():
        for _ in range(3):
            try:
                await asyncio.sleep(1)
            except BaseException:
                await asyncio.sleep(0.1)

    await asyncio.gather(call(), call())


async def a_pass_that_swallows():
    async def work():
        for _ in range(3):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

    async with asyncio.TaskGroup() as group:
        group.create_task(work())


async def an_error_of_its_own():
    async def work():
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise RuntimeError("stopped") from None

    await asyncio.gather(work(), work())


async def a_helper_that_stays():
    async def helper():
        while True:
            await asyncio.sleep(1)

    async def work():
        task = asyncio.create_task(helper(), name="helper")
        await asyncio.sleep(1)
        task.cancel()

    await asyncio.gather(work(), work())


async def an_item_that_is_never_done():
    queue = asyncio.Queue()
    for item in range(4):
        queue.put_nowait(item)

    async def work():
        while True:
            await queue.get()
            await asyncio.sleep(0.01)
            queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(2)]
    await queue.join()
    for worker in workers:
        worker.cancel()


async def a_flight_whose_leader_is_gone():
    flights = {}

    async def ask(key):
        if key in flights:
            return await asyncio.shield(flights[key])
        flight = flights[key] = asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.01)
        flight.set_result(1)
        return flights.pop(key).result()

    await asyncio.gather(ask(1), ask(1), ask(1), return_exceptions=True)


async def a_place_that_is_lost_on_its_way():
    waiters, free = [], [1]

    async def use():
        if free:
            free.pop()
        else:
            waiter = asyncio.get_running_loop().create_future()
            waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in waiters:
                    waiters.remove(waiter)
                raise
        try:
            await asyncio.sleep(0.1)
        finally:
            if waiters:
                waiter = waiters.pop(0)
                if not waiter.done():
                    waiter.set_result(None)
            else:
                free.append(1)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(use(), name=f"use {number}")


async def a_clean_up_that_is_cancelled():
    lock = asyncio.Lock()

    async def use():
        await lock.acquire()
        try:
            await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(0)
            lock.release()

    await asyncio.gather(use(), use())


WRONG = {
    a_lock_without_finally: "lock lock (of a_lock_without_finally.<locals>.use)",
    a_retry_that_takes_everything: "the cancellation was swallowed",
    a_pass_that_swallows: "and went on at",
    an_error_of_its_own: "RuntimeError: stopped",
    a_helper_that_stays: "task helper of",
    an_item_that_is_never_done: "stuck: 2 wait for what nobody will do",
    a_flight_whose_leader_is_gone: "stuck: 3 wait for what nobody will do",
    a_place_that_is_lost_on_its_way: "while it was woken, not yet run: stuck",
    a_clean_up_that_is_cancelled: "lock lock (of a_clean_up_that_is_cancelled.<locals>.use)",
}
