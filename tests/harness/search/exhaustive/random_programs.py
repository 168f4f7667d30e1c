"""Small random programs whose tasks share things, and the outcomes that a search finds."""

from __future__ import annotations

import asyncio
from random import Random

from harness.choices.policies import StepWatcher
from harness.search.exhaustive.search import Exhaustive
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.repeated_runs import SearchRuns
from tests.harness.search.exhaustive import rarer_operations


def error_of(task):
    """Return a task's error. Asked by its method it would count as seen, which the end shows."""
    return task._exception  # noqa: SLF001 - see above


class Shared:
    """What the tasks of one run share."""

    limit = 0

    def __init__(self):
        self.value = 0
        self.other = 0
        self.table = {"a": 0, "b": 0}
        self.items = []
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.event = asyncio.Event()
        self.queue = asyncio.Queue(1)
        self.semaphore = asyncio.Semaphore(1)
        self.future = asyncio.get_running_loop().create_future()
        self.tasks = []
        self.log = {}
        self.rarer = rarer_operations.Rarer()

    def look(self):
        """Take the state after a step: what is left at the end the loop cancels, which shows."""
        self.state = self.seen()

    def seen(self):
        """Tell all that there is to see."""
        states = [
            "cancelled" if one.cancelled() else repr(error_of(one)) if one.done() else "open"
            for one in self.tasks
        ]
        return (
            self.value, self.other, tuple(self.table.items()), tuple(self.items),
            tuple(sorted(self.log.items(), key=str)), self.event.is_set(), self.queue.qsize(),
            tuple(states), self.rarer.seen(),
        )  # fmt: skip


async def swap(shared, mine):
    seen = shared.value
    await asyncio.sleep(0)
    shared.value = seen * 3 + mine


async def note(shared, mine):
    shared.items.append(mine)
    await asyncio.sleep(0)


async def count(shared, mine):
    key = "a" if mine % 2 else "b"
    now = shared.table[key]
    await asyncio.sleep(0)
    shared.table[key] = now + mine


async def add(shared, mine):
    shared.table["b"] += mine
    await asyncio.sleep(0)


async def peek(shared, mine):
    shared.log[mine] = (shared.other, len(shared.items))
    await asyncio.sleep(0)


async def put_other(shared, mine):
    shared.other = mine
    await asyncio.sleep(0)


async def under_first(shared, mine):
    async with shared.locks[0]:
        shared.value += mine
        await asyncio.sleep(0)


async def under_both(shared, mine):
    first, second = shared.locks if mine % 2 else reversed(shared.locks)
    async with first, second:
        shared.other += mine


async def nested(shared, mine):
    async with shared.locks[mine % 2]:
        await asyncio.sleep(0)
        async with shared.locks[1 - mine % 2]:
            shared.items += [mine]


async def wait_event(shared, mine):
    await shared.event.wait()
    shared.items.append(-mine)


async def set_event(shared, mine):
    if shared.value % 2 == 0 or mine:
        shared.event.set()
    await asyncio.sleep(0)


async def put(shared, mine):
    await shared.queue.put(mine)


async def take(shared, mine):
    shared.log[mine] = await shared.queue.get()


async def permit(shared, mine):
    async with shared.semaphore:
        await asyncio.sleep(0)
        shared.log[mine] = shared.value


async def resolve(shared, mine):
    if not shared.future.done():
        shared.future.set_result(mine)
    await asyncio.sleep(0)


async def await_future(shared, mine):
    shared.log[mine] = await shared.future


async def cancel_first(shared, mine):
    if shared.tasks and mine:
        shared.tasks[0].cancel()
    await asyncio.sleep(0)


async def fail_sometimes(shared, mine):
    await asyncio.sleep(0)
    if shared.value > 2:
        raise LookupError(mine)


async def class_value(shared, mine):
    if Shared.limit == 0:
        Shared.limit = mine
    await asyncio.sleep(0)
    shared.log[mine] = shared.limit


async def spawn(shared, mine):
    child = asyncio.create_task(note(shared, 10 * mine))
    shared.value += 1
    await child


OPERATIONS = (
    swap, note, count, add, peek, put_other, under_first, under_both, nested, wait_event, set_event,
    put, take, permit, resolve, await_future, cancel_first, fail_sometimes, class_value, spawn,
    *rarer_operations.OPERATIONS,
)  # fmt: skip


# What leaves callbacks that are cancelled when their turn comes.
CANCELLING = (
    rarer_operations.give_up, rarer_operations.pulse, rarer_operations.cancel_handle,
    rarer_operations.later, set_event,
)  # fmt: skip


async def in_gather(shared, jobs):
    shared.tasks += [asyncio.ensure_future(one) for one in jobs]
    return await asyncio.gather(*shared.tasks)


async def in_gather_to_the_end(shared, jobs):
    shared.tasks += [asyncio.ensure_future(one) for one in jobs]
    found = await asyncio.gather(*shared.tasks, return_exceptions=True)
    return [repr(one) for one in found]


async def in_group(shared, jobs):
    async with asyncio.TaskGroup() as group:
        shared.tasks += [group.create_task(one) for one in jobs]


async def first_completed(shared, jobs):
    shared.tasks += [asyncio.ensure_future(one) for one in jobs]
    done, _ = await asyncio.wait(shared.tasks, return_when=asyncio.FIRST_COMPLETED)
    return sorted(shared.tasks.index(one) for one in done)


async def one_by_one(shared, jobs):
    shared.tasks += [asyncio.ensure_future(one) for one in jobs]
    for one in shared.tasks:
        await one


async def gather_beside_another(shared, jobs):
    shared.tasks += [asyncio.ensure_future(one) for one in jobs]
    both = asyncio.gather(*shared.tasks[:-1])
    await both
    shared.items.append("both")
    await shared.tasks[-1]


GATHERINGS = (
    in_gather, in_gather_to_the_end, in_group, first_completed, one_by_one, gather_beside_another,
)  # fmt: skip


def random_program(seed, *, tasks, length, operations=OPERATIONS):
    """Make a program: some tasks of up to ``length`` operations each, gathered in some way.

    Returns the coroutine function and the list into which each run puts its outcome.
    """
    stream = Random(seed)
    plan = [
        [(stream.choice(operations), stream.randrange(3)) for _ in range(stream.randint(1, length))]
        for _ in range(tasks)
    ]
    gathering = stream.choice(GATHERINGS)
    # The run's own things, for whoever looks once it has ended in whatever way.
    runs = []

    async def main():
        Shared.limit = 0
        shared = Shared()
        runs.append(shared)
        running_virtual_loop().observer = shared.look

        async def work(number):
            for turn, (operation, mine) in enumerate(plan[number]):
                await operation(shared, mine)
                shared.log[f"{number}.{turn}"] = True

        return await gathering(shared, [work(number) for number in range(tasks)])

    told = [[(op.__name__, mine) for op, mine in one] for one in plan]
    main.plan = (gathering.__name__, told)  # type: ignore[attr-defined]
    return main, runs


def outcomes_of(main, runs, *, reduced, runs_max=20_000, **options):
    """Search a program to its end; return the strategy and all that was seen at the ends of runs.

    The strategy is None if the program has more orders than ``runs_max``.
    """
    strategy = Exhaustive(reduced=reduced, **options)
    seen = set()
    with SearchRuns(main, adversarial=True) as searching:
        while not strategy.exhausted:
            if strategy.runs >= runs_max:
                return None, seen
            runs.clear()
            policy = strategy.begin(strategy.runs)
            found = searching.run(policy, watcher=strategy.watcher or StepWatcher())
            strategy.finish(found)
            seen.add((runs[0].state, repr(found.error), found.finished, found.unhandled))
    return strategy, seen
