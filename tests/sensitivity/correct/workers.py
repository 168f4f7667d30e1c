"""Correct programs that share work among workers: pools, crawlers, maps with a limit."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import random
from collections import Counter, deque
from contextlib import aclosing, asynccontextmanager, suppress

__all__ = ["PROGRAMS"]


async def a_map_with_a_limit():
    async def mapped(function, items, limit):
        permits = asyncio.Semaphore(limit)

        async def one(item):
            async with permits:
                return await function(item)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
        return [task.result() for task in tasks]

    under_way = most = 0

    async def square(number):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            under_way -= 1
        return number * number

    assert await mapped(square, range(5), limit=2) == [0, 1, 4, 9, 16]
    assert most <= 2


async def results_in_order_from_a_sliding_window():
    """Three are under way at most; results are given on in the order of the questions."""

    async def ordered(coroutines):
        window: deque[asyncio.Task[int]] = deque()
        try:
            for coroutine in coroutines:
                window.append(asyncio.create_task(coroutine))
                if len(window) == 3:
                    yield await window[0]
                    window.popleft()
            while window:
                yield await window[0]
                window.popleft()
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)

    async def double(number):
        await asyncio.sleep(random.uniform(0, 0.02))
        return number * 2

    async with aclosing(ordered(double(number) for number in range(6))) as results:
        assert [one async for one in results] == [0, 2, 4, 6, 8, 10]


async def a_pool_that_grows_and_shrinks():
    queue, done, workers = asyncio.Queue(), [], set()

    async def work():
        while True:
            try:
                async with asyncio.timeout(20):
                    item = await queue.get()
            except TimeoutError:
                return
            await asyncio.sleep(random.uniform(0, 0.01))
            done.append(item)

    def submit(item):
        queue.put_nowait(item)
        if len(workers) < 3 and queue.qsize() > 1:
            start()

    def start():
        worker = asyncio.create_task(work())
        workers.add(worker)
        worker.add_done_callback(workers.discard)

    start()
    try:
        for item in range(6):
            submit(item)
            await asyncio.sleep(random.uniform(0, 0.005))
        async with asyncio.timeout(300):
            while workers:
                await asyncio.wait(set(workers))
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    assert sorted(done) == list(range(6))


async def a_crawler_that_visits_each_page_once():
    links = {"/": "abc", "a": "bd", "b": "ad", "c": "e", "d": "/", "e": ""}
    visits = Counter()

    async def crawl(page, group, seen):
        await asyncio.sleep(random.uniform(0, 0.01))
        visits[page] += 1
        for link in links[page]:
            if link not in seen:
                seen.add(link)
                group.create_task(crawl(link, group, seen))

    async with asyncio.TaskGroup() as group:
        group.create_task(crawl("/", group, {"/"}))
    assert visits == dict.fromkeys(links, 1)


async def words_that_are_counted_in_parts():
    texts = ["a b a", "b b c", "a c c"]

    async def count(text):
        found = Counter()
        for word in text.split():
            await asyncio.sleep(random.uniform(0, 0.003))
            found[word] += 1
        return found

    total = Counter()
    for found in await asyncio.gather(*map(count, texts)):
        total += found
    assert total == {"a": 3, "b": 3, "c": 3}


async def jobs_that_can_be_taken_back():
    """Each job has a handle: whoever no longer wants it cancels it, and the pool goes on."""
    queue = asyncio.Queue()

    async def work():
        while True:
            function, answer = await queue.get()
            if answer.done():
                continue
            job = asyncio.ensure_future(function())
            answer.add_done_callback(lambda _answer, job=job: job.cancel())
            try:
                await asyncio.wait([job])
            except asyncio.CancelledError:
                job.cancel()
                await asyncio.gather(job, return_exceptions=True)
                answer.cancel()
                raise
            if not job.cancelled() and not answer.done():
                answer.set_result(job.result())

    def submit(function):
        answer = asyncio.get_running_loop().create_future()
        queue.put_nowait((function, answer))
        return answer

    async def slow():
        await asyncio.sleep(3600)

    async def quick():
        await asyncio.sleep(random.uniform(0, 0.01))
        return "quick"

    worker = asyncio.create_task(work())
    try:
        unwanted, wanted = submit(slow), submit(quick)
        await asyncio.sleep(random.uniform(0, 0.01))
        unwanted.cancel()
        async with asyncio.timeout(60):
            assert await wanted == "quick"
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def the_urgent_before_the_rest():
    """A queue by urgency, and by number where that is alike: functions have no order."""
    queue, number, ran = asyncio.PriorityQueue(), itertools.count(), []

    def submit(urgency, name):
        async def job():
            await asyncio.sleep(random.uniform(0, 0.01))
            ran.append(name)

        queue.put_nowait((urgency, next(number), job))

    for urgency, name in ((2, "c"), (1, "a"), (1, "b"), (3, "d")):
        submit(urgency, name)

    async def work():
        with suppress(asyncio.QueueEmpty):
            while True:
                *_, job = queue.get_nowait()
                await job()

    await work()
    assert ran == ["a", "b", "c", "d"]


async def functions_in_threads():
    permits = asyncio.Semaphore(2)

    def parse(text):
        return int(text)

    async def read(text):
        async with permits:
            try:
                return await asyncio.to_thread(parse, text)
            except ValueError:
                return None

    assert await asyncio.gather(*map(read, ("1", "x", "3"))) == [1, None, 3]


async def an_executor_that_is_asked_twice():
    loop = asyncio.get_running_loop()

    async def fourth(number):
        second = await loop.run_in_executor(None, pow, number, 2)
        await asyncio.sleep(random.uniform(0, 0.01))
        return await loop.run_in_executor(None, pow, second, 2)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(fourth(number)) for number in (1, 2, 3)]
    assert [task.result() for task in tasks] == [1, 16, 81]


async def workers_who_steal():
    """Each has a queue of its own; who has nothing left takes from the back of the longest."""
    queues = {"a": deque(range(6)), "b": deque(), "c": deque([6])}
    done = Counter()

    def next_for(name):
        if queues[name]:
            return queues[name].popleft()
        richest = max(queues.values(), key=len)
        return richest.pop() if richest else None

    async def work(name):
        while (item := next_for(name)) is not None:
            try:
                await asyncio.sleep(random.uniform(0, 0.01))
            except asyncio.CancelledError:
                queues[name].appendleft(item)
                raise
            done[item] += 1

    async with asyncio.TaskGroup() as group:
        for name in queues:
            group.create_task(work(name))
    assert done == dict.fromkeys(range(7), 1)


async def results_that_are_fetched_by_their_number():
    """Jobs run on after they were handed in; whoever has the number may wait for the result."""

    class Jobs:
        def __init__(self):
            self.numbers, self.tasks = itertools.count(1), {}

        def hand_in(self, coroutine):
            number = next(self.numbers)
            self.tasks[number] = asyncio.create_task(coroutine)
            return number

        async def result(self, number):
            # Whoever waits may be cancelled: the job goes on.
            await asyncio.wait([self.tasks[number]])
            return self.tasks.pop(number).result()

    @asynccontextmanager
    async def jobs():
        office = Jobs()
        try:
            yield office
        finally:
            for task in office.tasks.values():
                task.cancel()
            await asyncio.gather(*office.tasks.values(), return_exceptions=True)

    async def work(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        return number * number

    async with jobs() as office:
        numbers = [office.hand_in(work(number)) for number in range(3)]
        await asyncio.sleep(random.uniform(0, 0.01))
        assert await asyncio.gather(*map(office.result, numbers)) == [0, 1, 4]


PROGRAMS = [one for one in list(globals().values()) if inspect.iscoroutinefunction(one)]
