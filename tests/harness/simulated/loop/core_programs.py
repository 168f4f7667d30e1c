"""Programs drawn from a seed that do all that a loop's core has to do, and what they came to.

Run as a script it prints, as JSON, the core that is in use and what each program left behind:
``core_programs.py FIRST COUNT``. Two processes with two cores must print the same programs.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import hashlib
import json
import random
import re
import sys

import simpy

from harness.search.strategies.portfolio import strategy_named
from harness.simulated.loop.core import core_name
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.repeated_runs import SearchRuns
from harness.simulated.simulation import simulate

TASKS = 6
DEEDS = 8
WORD = contextvars.ContextVar("word", default="none")


class Program:
    """Tasks that each do things drawn from the program's seed, and a journal of what happened."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.journal = []
        self.outer = contextvars.copy_context()

    async def main(self):
        self.loop = running_virtual_loop()
        self.lock = asyncio.Lock()
        self.queue = asyncio.Queue(maxsize=2)
        self.resource = simpy.Resource(self.loop.environment)
        self.loop.set_exception_handler(self.failed)
        tasks = [asyncio.create_task(self.user(number)) for number in range(TASKS)]
        keeper = asyncio.create_task(self.keep_the_queue_moving())
        await asyncio.wait(tasks, timeout=50)
        keeper.cancel()
        self.note("queue", self.layout())
        return len([task for task in tasks if task.done()])

    def note(self, *words):
        line = re.sub("0x[0-9a-f]+", "0x", " ".join(map(str, words)))
        self.journal.append(f"{self.loop.time()!r} {line}")

    def failed(self, loop, context):
        self.note("failed", context["message"], repr(context.get("exception")))

    def layout(self):
        """The order in which the queue's list holds its entries, by moment and number."""
        return [(entry[0], entry[2]) for entry in self.loop.environment.queue]

    async def keep_the_queue_moving(self):
        while True:
            await asyncio.sleep(self.draw.random())
            if self.draw.random() < 0.5 and not self.queue.empty():
                self.queue.get_nowait()
            elif not self.queue.full():
                self.queue.put_nowait("kept")

    async def user(self, number):
        WORD.set(f"user {number}")
        deeds = [self.sleeps, self.yields, self.locks, self.queues, self.timers, self.is_late,
                 self.fails, self.waits_outside, self.computes, self.same_moment]  # fmt: skip
        for _ in range(DEEDS):
            deed = self.draw.choice(deeds)
            try:
                await deed(number)
            except (ValueError, TimeoutError) as error:
                self.note(number, deed.__name__, repr(error))
            self.note(number, deed.__name__, self.loop.environment.cancelled_count)

    async def sleeps(self, _number):
        await asyncio.sleep(self.draw.choice([0, 0.25, 0.5, self.draw.random(), -1]))

    async def yields(self, _number):
        for _ in range(self.draw.randrange(4)):
            await asyncio.sleep(0)

    async def locks(self, number):
        async with self.lock:
            self.note(number, "holds")
            await asyncio.sleep(self.draw.random() / 10)

    async def queues(self, number):
        if self.draw.random() < 0.5:
            await asyncio.wait_for(self.queue.put(number), 1)
        else:
            self.note(number, "got", await asyncio.wait_for(self.queue.get(), 1))

    async def timers(self, number):
        """Set many timers and cancel some of them: before, at and after their moment."""
        made = [
            self.loop.call_later(
                self.draw.choice([0, 0.1, self.draw.random()]), self.note, number, n
            )
            for n in range(self.draw.choice([3, 150]))
        ]
        made.append(self.loop.call_at(self.loop.time() - 1, self.note, number, "past"))
        for timer in self.draw.sample(made, len(made) // 2):
            timer.cancel()
        await asyncio.sleep(self.draw.random() / 5)
        self.draw.choice(made).cancel()
        self.note(number, sorted(timer.cancelled() for timer in made), made[0].when() <= 99)

    async def is_late(self, _number):
        async with asyncio.timeout(0.2):
            await asyncio.sleep(self.draw.choice([0.1, 0.2, 0.3]))

    async def fails(self, number):
        """Let callbacks fail, one be cancelled, two run where they cannot enter."""
        self.loop.call_soon(self._raise, ValueError(number))
        self.loop.call_soon(self.note, number, "never").cancel()
        self.loop.call_later(0.1, self._raise, KeyError(number))
        self.loop.call_soon(self.note, "entered", context=contextvars.copy_context())
        own = contextvars.copy_context()
        self.loop.call_soon(own.run, self.note, "twice", context=own)
        self.loop.call_soon(self.note, "never", context=self.outer)
        await asyncio.sleep(0)
        if self.draw.random() < 0.3:
            raise ValueError(number)

    def _raise(self, error):
        self.note(WORD.get(), "raises")
        raise error

    async def waits_outside(self, _number):
        def process(environment):
            with self.resource.request() as request:
                yield request
                yield environment.timeout(self.draw.choice([0.0, 0.25, self.draw.random()]))
            return "served"

        environment = self.loop.environment
        waiting = self.loop.future_of(environment.process(process(environment)))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), self.draw.choice([0.1, 2]))

    async def computes(self, number):
        self.note(number, await asyncio.to_thread(WORD.get))

    async def same_moment(self, number):
        """Sleep to a whole tenth, so that several things are due at once."""
        now = self.loop.time()
        await asyncio.sleep(round(now + 0.15, 1) - now)
        self.loop.call_soon(self.note, number, "soon")


def outcome_of(seed):
    """Run one program; return all that its core decided, as a short text."""
    program = Program(seed)
    outcome = program.outer.run(simulate, program.main, seed=seed, time_limit_s=60)
    journal = sha256(program.journal)
    return [
        outcome.digest, outcome.schedule_digest, outcome.steps, outcome.virtual_s, outcome.value,
        repr(outcome.error), outcome.pause.name, len(outcome.unhandled), journal,
    ]  # fmt: skip


def explored_of(seed, *, adversarial):
    """Run one program once more, in an order that a search draws; return all that was decided."""
    program = Program(seed)
    strategy = strategy_named("random", seed=seed)
    with SearchRuns(program.main, adversarial=adversarial, time_limit_s=60) as runs:
        found = program.outer.run(runs.run, strategy.begin(0), seed=seed)
    return [
        hashlib.sha256(found.order).hexdigest(), sha256(found.picks), found.steps, found.virtual_s,
        repr(found.error), found.pause.name, len(found.unhandled), sha256(program.journal),
    ]  # fmt: skip


def sha256(journal):
    return hashlib.sha256(repr(journal).encode()).hexdigest()


def main():
    first, count = map(int, sys.argv[1:])
    outcomes = [
        outcome_of(seed) + [explored_of(seed, adversarial=mode) for mode in (False, True)]
        for seed in range(first, first + count)
    ]
    json.dump({"core": core_name(), "outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()
