"""Small programs, drawn from a seed, that tell in a log which of their steps came when."""

from __future__ import annotations

import asyncio
import contextlib
import random

__all__ = ["DrawnProgram"]

# Milliseconds; many are near to one another, or add up to the same.
DELAYS_MS = (0, 0, 1, 2, 3, 4, 6, 9)
LIMIT_S = 0.2


class DrawnProgram:
    """Two or three tasks that each do a few drawn things.

    ``log`` is what happened, in its order. ``expected`` is a log that a run is to have: with the
    first entry that is another one the loop stops, and ``parted`` says so.
    """

    def __init__(self, seed):
        draw = random.Random(seed)
        kinds = draw.sample(sorted(DEEDS), draw.randint(2, 4))
        self.plan = [
            [self._drawn(draw, kinds) for _ in range(draw.randint(1, 2))]
            for _ in range(draw.randint(2, 3))
        ]
        self.expected = None
        self.begin()

    def begin(self):
        self.log = []
        self.parted = False
        self.over = False

    @staticmethod
    def _drawn(draw, kinds):
        kind = draw.choice(kinds)
        return kind, draw.choice(DELAYS_MS) / 1e3, draw.randrange(3)

    async def main(self):
        self.begin()
        self.loop = asyncio.get_running_loop()
        self.shared = []
        self.event, self.lock, self.queue = asyncio.Event(), asyncio.Lock(), asyncio.Queue()
        self.tasks = []
        for number, deeds in enumerate(self.plan):
            self.tasks.append(asyncio.create_task(self._task(number, deeds)))
        await asyncio.wait(self.tasks, timeout=LIMIT_S)
        self.mark("end", 0, [task.done() for task in self.tasks])
        self.over = True
        for task in self.tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self.tasks)

    def mark(self, task, deed, value=None):
        if self.over or self.parted:
            return
        at = len(self.log)
        self.log.append((task, deed, value))
        if self.expected is not None and self.log[at:] != self.expected[at : at + 1]:
            self.parted = True
            self.loop.stop()

    async def _task(self, number, deeds):
        for index, (kind, delay_s, other) in enumerate(deeds):
            self.mark(number, index)
            try:
                value = await DEEDS[kind](self, number, index, delay_s, other)
            except TimeoutError:
                value = "late"
            except asyncio.CancelledError:
                value = "cancelled"
            self.mark(number, index, value)

    async def _sleeps(self, number, index, delay_s, other):
        await asyncio.sleep(delay_s)

    async def _yields(self, number, index, delay_s, other):
        await asyncio.sleep(0)
        self.mark(number, index, "yielded")
        await asyncio.sleep(0)

    async def _reads(self, number, index, delay_s, other):
        found = await asyncio.to_thread(self._in_thread, number, index)
        return found, len(self.shared)

    async def _asks(self, number, index, delay_s, other):
        await asyncio.to_thread(self._in_thread, number, index)

    def _in_thread(self, number, index):
        found = len(self.shared)
        self.mark(number, index, f"a thread reads {found}")
        return found

    async def _adds(self, number, index, delay_s, other):
        await asyncio.sleep(delay_s)
        self.shared.append(number)

    async def _sets(self, number, index, delay_s, other):
        self.event.set()
        await asyncio.sleep(0)
        self.event.clear()

    async def _waits(self, number, index, delay_s, other):
        await asyncio.wait_for(self.event.wait(), delay_s + 0.001)

    async def _locks(self, number, index, delay_s, other):
        async with self.lock:
            self.mark(number, index, "holds")
            await asyncio.sleep(delay_s)

    async def _puts(self, number, index, delay_s, other):
        self.queue.put_nowait((number, index))

    async def _gets(self, number, index, delay_s, other):
        async with asyncio.timeout(delay_s + 0.001):
            return await self.queue.get()

    async def _cancels(self, number, index, delay_s, other):
        await asyncio.sleep(delay_s)
        if other < len(self.tasks) and other != number:
            return self.tasks[other].cancel()
        return None

    async def _later(self, number, index, delay_s, other):
        loop = asyncio.get_running_loop()
        loop.call_later(delay_s, self.mark, number, index, "later")
        loop.call_soon(self.mark, number, index, "soon")

    async def _limits(self, number, index, delay_s, other):
        async with asyncio.timeout(delay_s):
            await asyncio.to_thread(self._in_thread, number, index)

    async def _gathers(self, number, index, delay_s, other):
        await asyncio.gather(
            asyncio.sleep(delay_s), asyncio.to_thread(self._in_thread, number, index)
        )


DEEDS = {
    name.removeprefix("_"): deed
    for name, deed in vars(DrawnProgram).items()
    if name.startswith("_")
    and name not in {"_drawn", "_in_thread", "_task"}
    and not name.startswith("__")
}
