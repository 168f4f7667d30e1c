"""Correct programs that use asyncstdlib, aiostream, aioitertools, aiochannel, janus, reactivex."""

from __future__ import annotations

import asyncio
import inspect
import operator
import random

import aioitertools
import asyncstdlib
import janus
import reactivex
from aiochannel import Channel
from aiostream import pipe, stream
from reactivex import operators
from reactivex.scheduler.eventloop import AsyncIOScheduler

__all__ = ["PROGRAMS"]


async def _numbers(count, begin=0):
    for number in range(begin, begin + count):
        await asyncio.sleep(random.uniform(0, 0.005))
        yield number


async def asyncstdlib_maps_and_filters():
    async def total():
        even = asyncstdlib.filter(lambda number: number % 2 == 0, _numbers(6))
        return await asyncstdlib.sum(asyncstdlib.map(lambda number: number * 10, even))

    assert list(await asyncio.gather(total(), total())) == [60, 60]


async def asyncstdlib_a_stream_for_several_readers():
    async def read(source):
        got = []
        async for number in source:
            await asyncio.sleep(random.uniform(0, 0.005))
            got.append(number)
        return got

    async with asyncstdlib.tee(_numbers(4), n=2, lock=asyncio.Lock()) as (left, right):
        assert list(await asyncio.gather(read(left), read(right))) == [[0, 1, 2, 3]] * 2


async def asyncstdlib_streams_side_by_side():
    async with asyncstdlib.scoped_iter(_numbers(5)) as first:
        pairs = asyncstdlib.zip(asyncstdlib.islice(first, 3), _numbers(9, 10))
        found = [pair async for pair in pairs]
        rest = await asyncstdlib.list(first)
    assert found == [(0, 10), (1, 11), (2, 12)]
    assert rest in ([4], [3, 4])


async def asyncstdlib_a_value_that_is_computed_once():
    class Page:
        asked = 0

        @asyncstdlib.cached_property(asyncio.Lock)
        async def text(self):
            self.asked += 1
            await asyncio.sleep(random.uniform(0, 0.01))
            return "text"

    page = Page()

    async def read():
        return await page.text

    assert list(await asyncio.gather(read(), read(), read())) == ["text"] * 3
    assert page.asked == 1


async def aiostream_a_pipeline():
    async def run():
        squares = stream.range(6) | pipe.filter(lambda number: number % 2) | pipe.map(_square)
        return await stream.list(squares)

    assert list(await asyncio.gather(run(), run())) == [[1, 9, 25]] * 2


async def _square(number, *_others):
    await asyncio.sleep(random.uniform(0, 0.01))
    return number * number


async def aiostream_a_map_with_a_limit():
    under_way = most = 0

    async def work(number, *_others):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        try:
            await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            under_way -= 1
        return number

    mapped = stream.map(stream.range(5), work, ordered=True, task_limit=2)
    async with mapped.stream() as streamer:
        assert [one async for one in streamer] == [0, 1, 2, 3, 4]
    assert most <= 2


async def aiostream_streams_that_are_merged():
    merged = stream.merge(_numbers(3), _numbers(3, 10))
    async with merged.stream() as streamer:
        got = [number async for number in streamer]
    assert [one for one in got if one < 10] == [0, 1, 2]
    assert sorted(got) == [0, 1, 2, 10, 11, 12]


async def aiostream_chunks():
    chunked = stream.iterate(_numbers(5)) | pipe.chunks(2) | pipe.accumulate(operator.add)
    assert await stream.list(chunked) == [[0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]]


async def aioitertools_a_chain_of_streams():
    async def run():
        chained = aioitertools.chain(_numbers(2), [7], _numbers(2, 20))
        return [one async for one in aioitertools.map(str, chained)]

    assert list(await asyncio.gather(run(), run())) == [["0", "1", "7", "20", "21"]] * 2


async def aioitertools_a_gather_with_a_limit():
    found = await aioitertools.asyncio.gather(*map(_square, range(4)), limit=2)
    assert found == [0, 1, 4, 9]


async def aioitertools_results_as_they_come():
    got = [one async for one in aioitertools.asyncio.as_completed(map(_square, range(4)))]
    assert sorted(got) == [0, 1, 4, 9]


async def aiochannel_a_channel_that_is_closed():
    channel, got = Channel(2), []

    async def produce():
        try:
            for item in range(5):
                await channel.put(item)
                await asyncio.sleep(random.uniform(0, 0.01))
        finally:
            channel.close()

    async def consume():
        async for item in channel:
            await asyncio.sleep(random.uniform(0, 0.005))
            got.append(item)

    await asyncio.gather(produce(), consume(), consume())
    assert sorted(got) == [0, 1, 2, 3, 4]
    assert channel.closed()


async def janus_the_async_side_of_a_queue():
    queue, got = janus.Queue(maxsize=2), []

    async def produce():
        for item in range(4):
            await queue.async_q.put(item)
            await asyncio.sleep(random.uniform(0, 0.01))

    async def consume():
        for _ in range(4):
            got.append(await queue.async_q.get())
            queue.async_q.task_done()

    try:
        await asyncio.gather(produce(), consume())
        await queue.async_q.join()
    finally:
        await queue.aclose()
    assert got == [0, 1, 2, 3]


async def reactivex_events_that_are_mapped():
    scheduler = AsyncIOScheduler(asyncio.get_running_loop())

    async def run():
        got = await reactivex.timer(0.01, 0.01, scheduler=scheduler).pipe(
            operators.take(4), operators.map(lambda number: number * number), operators.to_list()
        )
        await asyncio.sleep(random.uniform(0, 0.01))
        return got

    assert list(await asyncio.gather(run(), run())) == [[0, 1, 4, 9]] * 2


async def reactivex_a_subject_with_two_listeners():
    subject, left, right = reactivex.Subject(), [], []
    with subject.subscribe(left.append), subject.pipe(operators.skip(1)).subscribe(right.append):
        for number in range(3):
            subject.on_next(number)
            await asyncio.sleep(random.uniform(0, 0.01))
    subject.on_next(99)
    assert (left, right) == ([0, 1, 2], [1, 2])


PROGRAMS = [
    one
    for name, one in list(globals().items())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__ and name[0] != "_"
]
