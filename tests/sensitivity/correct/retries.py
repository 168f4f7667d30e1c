"""Correct programs that try again, give up after a while, or take whoever is first."""

from __future__ import annotations

import asyncio
import inspect
import random

__all__ = ["PROGRAMS"]


async def a_call_that_is_tried_again():
    async def flaky():
        await asyncio.sleep(random.uniform(0, 0.01))
        if random.random() < 0.5:
            raise ConnectionError("not now")
        return "yes"

    async def call():
        for _ in range(20):
            try:
                return await flaky()
            except ConnectionError:
                await asyncio.sleep(random.uniform(0, 0.01))
        return "gave up"

    await asyncio.gather(call(), call())


async def a_call_with_a_timeout():
    async def call():
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(random.uniform(0, 0.02))
        except TimeoutError:
            return "late"
        return "in time"

    await asyncio.gather(call(), call(), call())


async def a_call_with_wait_for():
    async def slow():
        await asyncio.sleep(random.uniform(0, 0.02))
        return "in time"

    async def call():
        try:
            return await asyncio.wait_for(slow(), 0.01)
        except TimeoutError:
            return "late"

    await asyncio.gather(call(), call(), call())


async def a_lock_that_is_waited_for_with_a_limit():
    lock = asyncio.Lock()

    async def call():
        try:
            async with asyncio.timeout(0.02), lock:
                await asyncio.sleep(random.uniform(0, 0.03))
        except TimeoutError:
            pass

    await asyncio.gather(*(call() for _ in range(4)))
    assert not lock.locked()


async def whoever_is_first():
    async def ask(name):
        await asyncio.sleep(random.uniform(0, 0.01))
        return name

    tasks = [asyncio.create_task(ask(name)) for name in "abc"]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def a_second_try_beside_the_first():
    async def ask():
        await asyncio.sleep(random.uniform(0, 0.03))

    async def hedged():
        tasks = {asyncio.create_task(ask())}
        try:
            done, _ = await asyncio.wait(tasks, timeout=0.01)
            if not done:
                tasks.add(asyncio.create_task(ask()))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    await asyncio.gather(hedged(), hedged())


async def a_group_in_which_one_fails():
    async def fail():
        await asyncio.sleep(random.uniform(0, 0.01))
        raise ConnectionError("no")

    async def wait():
        await asyncio.sleep(3600)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait())
            group.create_task(fail())
    except* ConnectionError:
        pass


async def results_as_they_come():
    async def ask(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        return number

    got = [await one for one in asyncio.as_completed([ask(1), ask(2), ask(3)])]
    assert sorted(got) == [1, 2, 3]


async def errors_that_are_gathered():
    async def ask(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        if number % 2:
            raise ValueError(number)
        return number

    found = await asyncio.gather(*map(ask, range(4)), return_exceptions=True)
    assert sum(isinstance(one, ValueError) for one in found) == 2


async def a_breaker_that_opens():
    failures, lock = 0, asyncio.Lock()

    async def call():
        nonlocal failures
        async with lock:
            if failures >= 2:
                return "open"
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
            raise ConnectionError("no")
        except ConnectionError:
            async with lock:
                failures += 1
            return "failed"

    await asyncio.gather(*(call() for _ in range(4)))


async def a_poll_until_it_is_done():
    finished = False

    async def work():
        nonlocal finished
        try:
            await asyncio.sleep(random.uniform(0, 0.05))
        finally:
            finished = True

    async def poll():
        async with asyncio.timeout(60):
            while not finished:
                await asyncio.sleep(0.01)

    await asyncio.gather(work(), poll())


async def a_worker_that_ends_when_it_is_cancelled():
    async def work():
        try:
            while True:
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            return "stopped"

    task = asyncio.create_task(work())
    await asyncio.sleep(random.uniform(0, 0.05))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def a_caller_that_tells_whose_cancellation_it_is():
    async def work():
        await asyncio.sleep(3600)

    async def stop():
        task = asyncio.create_task(work())
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
        await asyncio.sleep(0.01)

    await asyncio.gather(stop(), stop())


async def a_barrier_for_three():
    barrier = asyncio.Barrier(3)

    async def meet():
        await asyncio.sleep(random.uniform(0, 0.01))
        await barrier.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(meet())


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
