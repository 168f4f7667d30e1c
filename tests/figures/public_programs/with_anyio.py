"""Correct programs that use anyio and aioresult: streams, scopes, limiters, groups."""

from __future__ import annotations

import inspect
import random
from contextlib import suppress
from functools import partial

from aioresult import ResultCapture, wait_all
from anyio import (
    BrokenResourceError,
    CapacityLimiter,
    Event,
    IncompleteRead,
    Lock,
    Semaphore,
    create_memory_object_stream,
    create_task_group,
    fail_after,
    move_on_after,
    sleep,
)
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = ["PROGRAMS"]


async def anyio_items_through_a_stream():
    send, receive = create_memory_object_stream[int](max_buffer_size=2)
    got = []

    async def produce(stream, begin):
        async with stream:
            try:
                for item in range(begin, begin + 3):
                    await stream.send(item)
                    await sleep(random.uniform(0, 0.01))
            except BrokenResourceError:
                return  # nobody reads any more

    async def consume():
        async with receive:
            got.extend([item async for item in receive])

    async with create_task_group() as group, send:
        group.start_soon(consume)
        for begin in (0, 10):
            group.start_soon(produce, send.clone(), begin)
    assert sorted(got) == [0, 1, 2, 10, 11, 12]


async def anyio_workers_with_clones():
    send, receive = create_memory_object_stream[int](max_buffer_size=10)
    done = []

    async def work(stream):
        async with stream:
            async for item in stream:
                await sleep(random.uniform(0, 0.01))
                done.append(item)

    async with create_task_group() as group:
        async with receive:
            for _ in range(3):
                group.start_soon(work, receive.clone())
        async with send:
            for item in range(7):
                await send.send(item)
    assert sorted(done) == list(range(7))


async def anyio_a_limiter():
    limiter, inside, most = CapacityLimiter(2), 0, 0

    async def use():
        nonlocal inside, most
        async with limiter:
            inside += 1
            most = max(most, inside)
            try:
                await sleep(random.uniform(0, 0.01))
            finally:
                inside -= 1

    async with create_task_group() as group:
        for _ in range(5):
            group.start_soon(use)
    assert most <= 2
    assert limiter.borrowed_tokens == 0


async def anyio_a_lock_and_a_semaphore():
    lock, permits, total = Lock(), Semaphore(2), 0

    async def add(amount):
        nonlocal total
        async with permits:
            await sleep(random.uniform(0, 0.01))
            async with lock:
                before = total
                await sleep(random.uniform(0, 0.005))
                total = before + amount

    async with create_task_group() as group:
        for amount in (1, 10, 100):
            group.start_soon(add, amount)
    assert total == 111
    assert permits.value == 2


async def anyio_a_service_that_says_when_it_is_ready():
    log = []

    async def serve(*, task_status):
        await sleep(random.uniform(0, 0.01))
        log.append("open")
        try:
            task_status.started("address")
            await sleep(3600)
        finally:
            log.append("closed")

    async with create_task_group() as group:
        assert await group.start(serve) == "address"
        assert log == ["open"]
        group.cancel_scope.cancel()
    assert log == ["open", "closed"]


async def anyio_who_is_too_slow():
    outcomes = []

    async def ask(takes_s):
        with move_on_after(5) as scope:
            await sleep(takes_s)
            outcomes.append("in time")
        if scope.cancelled_caught:
            outcomes.append("too slow")

    async with create_task_group() as group:
        group.start_soon(ask, random.uniform(0, 1))
        group.start_soon(ask, random.uniform(20, 30))
    assert sorted(outcomes) == ["in time", "too slow"]


async def anyio_a_limit_that_is_an_error():
    async def ask():
        try:
            with fail_after(5):
                await sleep(random.uniform(20, 30))
        except TimeoutError:
            return "too slow"
        return "in time"

    results = []

    async def note():
        results.append(await ask())

    async with create_task_group() as group:
        group.start_soon(note)
        group.start_soon(note)
    assert results == ["too slow"] * 2


async def anyio_a_clean_up_under_a_shield():
    log = []

    async def work(name):
        try:
            await sleep(random.uniform(1, 2))
        finally:
            with move_on_after(10, shield=True):
                await sleep(random.uniform(0, 0.01))
                log.append(name)

    with move_on_after(1.5):
        async with create_task_group() as group:
            for name in "ab":
                group.start_soon(work, name)
    assert sorted(log) == ["a", "b"]


async def anyio_the_first_of_several():
    found = []

    async def ask(name, scope):
        await sleep(random.uniform(0, 0.01))
        found.append(name)
        scope.cancel()

    async with create_task_group() as group:
        for name in "abc":
            group.start_soon(ask, name, group.cancel_scope)
    assert 1 <= len(found) <= 3


async def anyio_events_in_a_chain():
    first, second, log = Event(), Event(), []

    async def one():
        await sleep(random.uniform(0, 0.01))
        log.append("one")
        first.set()

    async def two():
        await first.wait()
        log.append("two")
        second.set()

    async def three():
        await second.wait()
        log.append("three")

    async with create_task_group() as group:
        for job in (three, two, one):
            group.start_soon(job)
    assert log == ["one", "two", "three"]


async def anyio_bytes_in_a_buffer():
    send, receive = create_memory_object_stream[bytes](max_buffer_size=10)
    lines = []

    async def write():
        # Who reads may have gone.
        with suppress(BrokenResourceError):
            async with send:
                for piece in (b"on", b"e\ntwo\nth", b"ree\n"):
                    await send.send(piece)
                    await sleep(random.uniform(0, 0.01))

    async def read():
        async with BufferedByteReceiveStream(receive) as buffered:
            with suppress(IncompleteRead):
                while True:
                    lines.append(await buffered.receive_until(b"\n", 20))

    async with create_task_group() as group:
        group.start_soon(write)
        group.start_soon(read)
    assert lines == [b"one", b"two", b"three"]


async def anyio_a_queue_that_is_left_by_all():
    send, receive = create_memory_object_stream[int](max_buffer_size=0)
    outcome = []

    async def write():
        async with send:
            try:
                for item in range(10):
                    await send.send(item)
            except BrokenResourceError:
                outcome.append("nobody reads any more")

    async def read():
        async with receive:
            async for item in receive:
                if item == 3:
                    break
                await sleep(random.uniform(0, 0.01))

    async with create_task_group() as group:
        group.start_soon(write)
        group.start_soon(read)
    assert outcome == ["nobody reads any more"]


async def aioresult_results_of_a_group():
    async def square(number):
        await sleep(random.uniform(0, 0.01))
        return number * number

    async with create_task_group() as group:
        captured = [ResultCapture.start_soon(group, square, number) for number in range(3)]
        await wait_all(captured)
    assert [one.result() for one in captured if one.exception() is None] == [0, 1, 4]


async def anyio_groups_that_hand_on_a_function():
    done = set()

    async def step(name, *, then=()):
        await sleep(random.uniform(0, 0.01))
        async with create_task_group() as group:
            for one in then:
                group.start_soon(one)
        done.add(name)

    leaf = partial(step, "leaf")
    async with create_task_group() as trunk:
        trunk.start_soon(partial(step, "branch", then=(leaf, leaf)))
    assert done == {"leaf", "branch"}


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
