"""Stock asyncio with a scripted clock, scripted threads, and callbacks that take their time.

``StockLoop`` is asyncio's own ``BaseEventLoop``: its ``_run_once`` is not touched. What a machine
decides there, a seed decides here: how long each callback takes, how late ``select`` wakes the
loop, how long a thread needs, and at what moment its function reads what others write. So an
order that shows here is one that asyncio takes in production.
"""

from __future__ import annotations

import asyncio
import collections
import concurrent.futures
import heapq
import itertools
import random
from typing import Any

__all__ = ["StockLoop", "Stuck"]

# No two looks at a clock tell the same time.
TICK_S = 1e-7
# What a search takes for possible of an executor's call: 1 to 5 ms, stretched four times.
THREAD_S = (0.000_25, 0.020)


class Stuck(Exception):
    """Nothing is ready, and nothing will ever be."""


class _Ready(collections.deque[Any]):
    """The callbacks that are ready; before each one runs, time goes by."""

    def __init__(self, goes_by):
        super().__init__()
        self._goes_by = goes_by

    def popleft(self):
        handle = super().popleft()
        self._goes_by()
        return handle


class _Threads(concurrent.futures.Executor):
    """Threads whose calls take a drawn time; there is always a thread for another call."""

    def __init__(self, loop):
        self._loop = loop

    def submit(self, function, /, *args, **kwargs):
        future = concurrent.futures.Future()
        loop = self._loop
        begin_s = loop.now
        ends_s = begin_s + loop.draw.uniform(*THREAD_S)
        # Mostly a thread reads at its very begin or at its very end.
        reads_s = loop.draw.choice((begin_s, ends_s, loop.draw.uniform(begin_s, ends_s)))
        answer = []

        def reads():
            if future.set_running_or_notify_cancel():
                answer.append(function(*args, **kwargs))

        def ends():
            if answer:
                future.set_result(answer[0])

        loop.happens(reads_s, reads)
        loop.happens(ends_s, ends)
        return future


class StockLoop(asyncio.BaseEventLoop):
    """asyncio's own loop; in all of a run it is late by no more than ``late_s``."""

    def __init__(self, seed, *, late_s):
        super().__init__()
        self.now = 0.0
        self.draw = random.Random(seed)
        self._left_s = late_s
        # How often a callback takes time, or the loop wakes late: some runs never are late.
        self._share = self.draw.choice((0.0, 0.1, 0.3, 0.7))
        self._outside = []
        self._numbers = itertools.count()
        self._ready = _Ready(self._goes_by)
        self._selector = self
        self._clock_resolution = 1e-9
        self._default_executor = _Threads(self)

    def time(self):
        self.now += TICK_S
        return self.now

    def happens(self, when_s, call):
        heapq.heappush(self._outside, (when_s, next(self._numbers), call))

    def run_in_executor(self, executor, func, *args):  # type: ignore[override]
        future = self._default_executor.submit(func, *args)
        return asyncio.futures.wrap_future(future, loop=self)

    def select(self, timeout):
        """Do as a selector does: wait for what comes from outside, but no longer than that."""
        if timeout is None or timeout > 0:
            moments = [] if timeout is None else [self.now + timeout]
            if self._outside:
                moments.append(self._outside[0][0])
            if not moments:
                raise Stuck
            self.now = max(self.now, min(moments))
            self._goes_by()
        self._comes()
        return []

    def _goes_by(self):
        if self._left_s > 0 and self.draw.random() < self._share:
            late_s = self.draw.random() ** 2 * self._left_s
            self._left_s -= late_s
            self.now += late_s
        self._comes()

    def _comes(self):
        while self._outside and self._outside[0][0] <= self.now:
            heapq.heappop(self._outside)[2]()

    def _process_events(self, event_list):
        """There are no files."""

    def _write_to_self(self):
        """The selector needs no waking."""

    def _make_self_pipe(self):
        """There is none."""
