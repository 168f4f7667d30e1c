"""Correct programs that send messages: topics, outboxes, batches, calls that may be repeated."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import defaultdict, deque
from contextlib import asynccontextmanager

__all__ = ["PROGRAMS"]


async def a_topic_whose_slow_listeners_lose_the_oldest():
    class Topic:
        def __init__(self):
            self.boxes = []

        @asynccontextmanager
        async def listening(self):
            box, arrived = deque(maxlen=2), asyncio.Event()
            self.boxes.append((box, arrived))
            try:
                yield box, arrived
            finally:
                self.boxes.remove((box, arrived))

        def tell(self, item):
            for box, arrived in self.boxes:
                box.append(item)
                arrived.set()

    topic, last = Topic(), []

    async def listen():
        async with topic.listening() as (box, arrived):
            item = None
            while item != "end":
                await arrived.wait()
                arrived.clear()
                await asyncio.sleep(random.uniform(0, 0.02))
                while box:
                    item = box.popleft()
            last.append(item)

    async def publish():
        while len(topic.boxes) < 2:
            await asyncio.sleep(0.01)
        for number in range(4):
            topic.tell(number)
            await asyncio.sleep(random.uniform(0, 0.01))
        topic.tell("end")

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for job in (listen(), listen(), publish()):
            group.create_task(job)
    assert last == ["end", "end"]


async def an_outbox_that_is_sent_at_least_once():
    """What is written with the order is sent later, and only then crossed off."""
    outbox, received = [], []

    async def order(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        outbox.append(number)

    async def send(number):
        await asyncio.sleep(random.uniform(0, 0.005))
        received.append(number)
        if random.random() < 0.3:
            raise ConnectionError("the answer is lost")

    async def relay():
        while True:
            for number in list(outbox):
                try:
                    await send(number)
                except ConnectionError:
                    break
                outbox.remove(number)
            await asyncio.sleep(0.01)

    relaying = asyncio.create_task(relay())
    try:
        await asyncio.gather(*map(order, range(3)))
        while outbox and not relaying.done():
            await asyncio.sleep(0.01)
    finally:
        relaying.cancel()
        await asyncio.wait([relaying])
    assert set(received) == {0, 1, 2}


async def a_call_that_may_be_repeated():
    """A key makes a payment repeatable: the second call with it gets the answer of the first."""
    answers: dict[str, asyncio.Future[int]] = {}
    charged = []

    async def charge(key, amount):
        if key in answers:
            return await asyncio.shield(answers[key])
        answer = answers[key] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.sleep(random.uniform(0, 0.02))
            charged.append(amount)
            answer.set_result(len(charged))
        finally:
            if not answer.done():
                # Nothing was charged: the next one may try.
                del answers[key]
                answer.cancel()
        return answer.result()

    async def client(key):
        while True:
            try:
                async with asyncio.timeout(0.01):
                    return await charge(key, 5)
            except TimeoutError:
                continue

    numbers = await asyncio.gather(client("x"), client("y"))
    assert sorted(numbers) == [1, 2]
    assert await charge("x", 5) in numbers
    assert charged == [5, 5]


async def a_batch_that_is_full_or_old():
    class Batcher:
        """Sends when three are together, or when the first has waited long enough."""

        def __init__(self):
            self.items, self.sent, self.timer = [], [], None

        def add(self, item):
            self.items.append(item)
            if len(self.items) == 3:
                self.flush()
            elif self.timer is None:
                self.timer = asyncio.get_running_loop().call_later(0.01, self.flush)

        def flush(self):
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None
            if self.items:
                self.sent.append(self.items)
                self.items = []

    batcher = Batcher()

    async def produce(name):
        for number in range(4):
            batcher.add((name, number))
            await asyncio.sleep(random.uniform(0, 0.02))

    try:
        await asyncio.gather(produce("a"), produce("b"))
    finally:
        batcher.flush()
    assert all(1 <= len(batch) <= 3 for batch in batcher.sent)
    assert sum(map(len, batcher.sent)) == 8


async def batches_of_a_queue():
    queue, batches = asyncio.Queue(), []

    async def collect():
        """Take one item, and then whatever comes within a while, up to four."""
        while True:
            batch = [await queue.get()]
            try:
                async with asyncio.timeout(0.01):
                    while len(batch) < 4:
                        batch.append(await queue.get())
            except TimeoutError:
                pass
            batches.append(batch)
            for _ in batch:
                queue.task_done()

    async def produce():
        for item in range(3):
            queue.put_nowait(item)
            await asyncio.sleep(random.uniform(0, 0.02))

    collector = asyncio.create_task(collect())
    try:
        await asyncio.gather(produce(), produce())
        async with asyncio.timeout(60):
            await queue.join()
    finally:
        collector.cancel()
        await asyncio.gather(collector, return_exceptions=True)
    assert sum(map(len, batches)) == 6


async def messages_that_are_given_back():
    """What a worker does not finish goes back to the queue; the third time it is put aside."""
    queue, done, aside = asyncio.Queue(), [], []
    for item in range(3):
        queue.put_nowait((item, 1))

    async def handle(item):
        await asyncio.sleep(random.uniform(0, 0.01))
        if item == 1 or random.random() < 0.2:
            raise ValueError(item)

    @asynccontextmanager
    async def delivery():
        item, tries = await queue.get()
        try:
            yield item
            done.append(item)
        except ValueError:
            if tries == 3:
                aside.append(item)
            else:
                queue.put_nowait((item, tries + 1))
        except asyncio.CancelledError:
            queue.put_nowait((item, tries))
            raise
        finally:
            queue.task_done()

    async def work():
        while True:
            async with delivery() as item:
                await handle(item)

    workers = [asyncio.create_task(work()) for _ in range(2)]
    try:
        async with asyncio.timeout(60):
            await queue.join()
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert sorted(done + aside) == [0, 1, 2]
    assert 1 in aside


async def one_line_for_each_key():
    """Messages of one key are handled one after another, those of others beside them."""
    lines: dict[str, asyncio.Queue[int | None]] = {}
    handled = defaultdict(list)

    async def follow(key, line):
        while (item := await line.get()) is not None:
            await asyncio.sleep(random.uniform(0, 0.01))
            handled[key].append(item)

    async with asyncio.TaskGroup() as group:
        for number, key in enumerate("abcabca"):
            if key not in lines:
                lines[key] = asyncio.Queue()
                group.create_task(follow(key, lines[key]))
            lines[key].put_nowait(number)
            await asyncio.sleep(random.uniform(0, 0.005))
        for line in lines.values():
            line.put_nowait(None)
    assert handled == {"a": [0, 3, 6], "b": [1, 4], "c": [2, 5]}


async def requests_and_their_answers():
    """A client with numbers on its requests; the answers come in any order."""

    class Client:
        def __init__(self):
            self.number, self.pending, self.wire = 0, {}, asyncio.Queue()

        async def request(self, text):
            self.number += 1
            number, answer = self.number, asyncio.get_running_loop().create_future()
            self.pending[number] = answer
            try:
                self.wire.put_nowait((number, text))
                return await answer
            finally:
                del self.pending[number]

        def answered(self, number, text):
            answer = self.pending.get(number)
            if answer is not None and not answer.done():
                answer.set_result(text)

    client = Client()

    async def serve_one(number, text):
        await asyncio.sleep(random.uniform(0, 0.02))
        client.answered(number, text.upper())

    async def serve():
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(serve_one(*await client.wire.get()))

    server = asyncio.create_task(serve())
    try:
        async with asyncio.timeout(60):
            assert await asyncio.gather(*map(client.request, "abc")) == ["A", "B", "C"]
    finally:
        server.cancel()
        await asyncio.wait([server])
    assert not client.pending


async def a_message_that_comes_twice():
    seen, counted = set(), 0

    async def handle(identity):
        nonlocal counted
        if identity in seen:
            return
        # Nothing awaits between the look and the mark, so nobody comes between.
        seen.add(identity)
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        except asyncio.CancelledError:
            seen.discard(identity)
            raise
        counted += 1

    async with asyncio.TaskGroup() as group:
        for identity in (1, 2, 1, 3, 2):
            group.create_task(handle(identity))
    assert counted == 3


async def credits_that_the_reader_gives():
    """Backpressure by credits: the writer sends no more than the reader has room for."""
    credit, channel, room = asyncio.Semaphore(2), deque(), asyncio.Event()
    most = 0

    async def write():
        nonlocal most
        for item in range(6):
            await credit.acquire()
            channel.append(item)
            most = max(most, len(channel))
            room.set()

    async def read():
        got = []
        while len(got) < 6:
            if not channel:
                room.clear()
                await room.wait()
            got.append(channel.popleft())
            await asyncio.sleep(random.uniform(0, 0.01))
            credit.release()
        return got

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        reader = group.create_task(read())
    assert reader.result() == list(range(6))
    assert most <= 2


async def streams_that_are_merged():
    async def numbers(name, count):
        for number in range(count):
            await asyncio.sleep(random.uniform(0, 0.01))
            yield name, number

    async def merged(*streams):
        queue, end = asyncio.Queue(maxsize=1), object()

        async def pump(stream):
            async for item in stream:
                await queue.put(item)
            await queue.put(end)

        async with asyncio.TaskGroup() as group:
            for stream in streams:
                group.create_task(pump(stream))
            left = len(streams)
            while left:
                item = await queue.get()
                if item is end:
                    left -= 1
                else:
                    taken.append(item)

    taken: list[tuple[str, int]] = []
    await merged(numbers("a", 3), numbers("b", 2))
    assert [number for name, number in taken if name == "a"] == [0, 1, 2]
    assert [number for name, number in taken if name == "b"] == [0, 1]


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
