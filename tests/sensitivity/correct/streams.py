"""Correct programs that hand items on: queues, streams, pipelines, broadcasts."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import aclosing, suppress

__all__ = ["PROGRAMS"]


async def a_queue_of_items_and_a_sentinel():
    queue, taken = asyncio.Queue(maxsize=2), []

    async def produce():
        for item in range(5):
            await queue.put(item)
            await asyncio.sleep(random.uniform(0, 0.01))
        await queue.put(None)

    async def consume():
        while (item := await queue.get()) is not None:
            taken.append(item)

    await asyncio.gather(produce(), consume())
    assert taken == list(range(5))


async def workers_of_a_queue_that_is_joined():
    queue, done = asyncio.Queue(), []
    for item in range(6):
        queue.put_nowait(item)

    async def work():
        while True:
            item = await queue.get()
            try:
                await asyncio.sleep(random.uniform(0, 0.01))
                done.append(item)
            finally:
                queue.task_done()

    workers = [asyncio.create_task(work()) for _ in range(3)]
    try:
        await queue.join()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert len(done) == 6


async def producers_and_consumers_in_a_group():
    queue, taken = asyncio.Queue(maxsize=1), []

    async def produce(name):
        for number in range(3):
            await queue.put((name, number))

    async def consume():
        for _ in range(3):
            taken.append(await queue.get())
            await asyncio.sleep(random.uniform(0, 0.01))

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b"):
            group.create_task(produce(name))
            group.create_task(consume())
    assert len(taken) == 6


async def a_pipeline_of_three_stages():
    first, second, out = asyncio.Queue(), asyncio.Queue(1), []

    async def source():
        for item in range(4):
            await first.put(item)
        await first.put(None)

    async def double():
        while (item := await first.get()) is not None:
            await asyncio.sleep(random.uniform(0, 0.01))
            await second.put(item * 2)
        await second.put(None)

    async def sink():
        while (item := await second.get()) is not None:
            out.append(item)

    async with asyncio.TaskGroup() as group:
        for stage in (source(), double(), sink()):
            group.create_task(stage)
    assert out == [0, 2, 4, 6]


async def a_generator_that_is_closed():
    closed = []

    async def numbers():
        try:
            for number in range(10):
                await asyncio.sleep(random.uniform(0, 0.01))
                yield number
        finally:
            closed.append(True)

    async def read(most):
        async with aclosing(numbers()) as stream:
            async for number in stream:
                if number >= most:
                    break

    await asyncio.gather(read(2), read(3))
    assert len(closed) == 2


async def a_generator_that_is_read_to_its_end():
    async def numbers():
        for number in range(4):
            await asyncio.sleep(random.uniform(0, 0.01))
            yield number

    async def read():
        return [number async for number in numbers()]

    assert list(await asyncio.gather(read(), read())) == [[0, 1, 2, 3]] * 2


async def a_broadcast_to_whoever_listens():
    class Topic:
        def __init__(self):
            self.listeners = set()

        async def listen(self):
            queue = asyncio.Queue()
            self.listeners.add(queue)
            try:
                return [await queue.get() for _ in range(2)]
            finally:
                self.listeners.discard(queue)

        async def tell(self):
            while len(self.listeners) < 2:
                await asyncio.sleep(random.uniform(0.001, 0.01))
            for item in range(2):
                for queue in list(self.listeners):
                    queue.put_nowait(item)
                await asyncio.sleep(random.uniform(0, 0.01))

    topic = Topic()
    async with asyncio.timeout(60):
        await asyncio.gather(topic.listen(), topic.listen(), topic.tell())


async def a_consumer_that_its_owner_stops():
    queue, seen = asyncio.Queue(), []

    async def consume():
        while True:
            seen.append(await queue.get())

    task = asyncio.create_task(consume())
    try:
        for item in range(3):
            await queue.put(item)
            await asyncio.sleep(random.uniform(0, 0.01))
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert seen == [0, 1, 2]


async def a_buffer_behind_a_condition():
    condition, buffer, got = asyncio.Condition(), [], []

    async def put(item):
        async with condition:
            await condition.wait_for(lambda: len(buffer) < 2)
            buffer.append(item)
            condition.notify_all()

    async def take():
        async with condition:
            await condition.wait_for(lambda: buffer)
            got.append(buffer.pop(0))
            condition.notify_all()

    async with asyncio.TaskGroup() as group:
        for item in range(4):
            group.create_task(put(item))
            group.create_task(take())
    assert sorted(got) == [0, 1, 2, 3]


async def lines_of_a_stream_reader():
    reader = asyncio.StreamReader()

    async def feed():
        for line in (b"one\n", b"two\n", b"three\n"):
            await asyncio.sleep(random.uniform(0, 0.01))
            reader.feed_data(line)
        reader.feed_eof()

    async def read():
        return [line async for line in reader]

    _, lines = await asyncio.gather(feed(), read())
    assert lines == [b"one\n", b"two\n", b"three\n"]


async def a_priority_queue_that_is_drained():
    queue, got = asyncio.PriorityQueue(), []

    async def put(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        await queue.put(number)

    async def take():
        got.append(await queue.get())
        queue.task_done()

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(put(number))
            group.create_task(take())
    assert sorted(got) == [0, 1, 2, 3]


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
