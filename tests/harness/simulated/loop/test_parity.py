"""The virtual loop does what asyncio does: each program, run on both, agrees."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from functools import partial

import pytest

from harness.simulated.simulation import simulate
from tests.harness.jumping_loop import run_jumping
from tests.there import there

# Seconds; programs keep their moments at least one apart.
UNIT = 0.01


async def queue_hands_over_in_order(log):
    queue = asyncio.Queue(maxsize=2)

    async def produce():
        for item in range(5):
            await queue.put(item)
            log.append(f"put {item}")

    async def consume():
        for _ in range(5):
            log.append(f"got {await queue.get()}")
            queue.task_done()

    await asyncio.gather(produce(), consume())
    await queue.join()


async def queue_getters_are_served_in_order(log):
    queue = asyncio.Queue()

    async def get(name):
        log.append((name, await queue.get()))

    getters = [asyncio.create_task(get(name)) for name in "abc"]
    await asyncio.sleep(0)
    for item in range(3):
        queue.put_nowait(item)
    await asyncio.gather(*getters)


async def priority_queue_gives_the_least(log):
    queue = asyncio.PriorityQueue()
    for item in (3, 1, 2):
        await queue.put(item)
    log.extend([await queue.get() for _ in range(3)])


async def cancelled_getter_loses_nothing(log):
    queue = asyncio.Queue()
    first = asyncio.create_task(queue.get())
    second = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    first.cancel()
    queue.put_nowait("item")
    log.append(await second)
    log.append(first.cancelled())


async def lock_is_fair(log):
    lock = asyncio.Lock()

    async def hold(name):
        async with lock:
            log.append(f"{name} in")
            await asyncio.sleep(0)
            log.append(f"{name} out")

    await asyncio.gather(*(hold(name) for name in "abcd"))


async def cancelled_lock_waiter_leaves_the_line(log):
    lock = asyncio.Lock()
    await lock.acquire()

    async def wait(name):
        async with lock:
            log.append(name)

    waiters = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(0)
    waiters[0].cancel()
    lock.release()
    ends = await asyncio.gather(*waiters, return_exceptions=True)
    log.append([type(end).__name__ for end in ends])


async def release_of_a_free_lock_fails(log):
    try:
        asyncio.Lock().release()
    except RuntimeError as error:
        log.append(str(error))


async def event_wakes_all(log):
    event = asyncio.Event()

    async def wait(name):
        await event.wait()
        log.append(name)

    waiters = [asyncio.create_task(wait(name)) for name in "abc"]
    await asyncio.sleep(UNIT)
    event.set()
    await asyncio.gather(*waiters)


async def condition_notifies_as_many_as_asked(log):
    condition = asyncio.Condition()

    async def wait(name):
        async with condition:
            await condition.wait()
            log.append(name)

    waiters = [asyncio.create_task(wait(name)) for name in "abcd"]
    await asyncio.sleep(0)
    async with condition:
        condition.notify(2)
    await asyncio.sleep(UNIT)
    log.append("between")
    async with condition:
        condition.notify_all()
    await asyncio.gather(*waiters)


async def condition_waits_for_a_predicate(log):
    condition = asyncio.Condition()
    value = 0

    async def grow():
        nonlocal value
        for _ in range(3):
            await asyncio.sleep(0)
            async with condition:
                value += 1
                condition.notify_all()

    async with asyncio.TaskGroup() as group:
        group.create_task(grow())
        async with condition:
            log.append(await condition.wait_for(lambda: value >= 2))
            log.append(value)


async def semaphore_lets_in_so_many(log):
    semaphore = asyncio.Semaphore(2)
    inside = 0

    async def enter(name):
        nonlocal inside
        async with semaphore:
            inside += 1
            log.append((name, inside))
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(enter(name) for name in "abcde"))


async def bounded_semaphore_refuses_one_too_many(log):
    semaphore = asyncio.BoundedSemaphore(1)
    try:
        semaphore.release()
    except ValueError as error:
        log.append(str(error))


async def barrier_opens_for_all(log):
    barrier = asyncio.Barrier(3)

    async def arrive(name):
        log.append((name, await barrier.wait()))

    await asyncio.gather(*(arrive(name) for name in "abc"))


async def timeout_ends_a_wait(log):
    try:
        async with asyncio.timeout(UNIT):
            await asyncio.sleep(10 * UNIT)
    except TimeoutError:
        log.append("timed out")


async def timeout_that_is_not_needed_is_silent(log):
    async with asyncio.timeout(10 * UNIT) as timeout:
        await asyncio.sleep(UNIT)
    log.append(timeout.expired())


async def timeout_can_be_moved(log):
    async with asyncio.timeout(UNIT) as timeout:
        timeout.reschedule(asyncio.get_running_loop().time() + 20 * UNIT)
        await asyncio.sleep(3 * UNIT)
    log.append("in time")


async def nested_timeouts_end_the_right_one(log):
    try:
        async with asyncio.timeout(10 * UNIT):
            try:
                async with asyncio.timeout(UNIT):
                    await asyncio.sleep(20 * UNIT)
            except TimeoutError:
                log.append("inner")
            await asyncio.sleep(UNIT)
            log.append("between")
            await asyncio.sleep(20 * UNIT)
    except TimeoutError:
        log.append("outer")


async def wait_for_returns_in_time(log):
    async def answer():
        await asyncio.sleep(UNIT)
        return 42

    log.append(await asyncio.wait_for(answer(), 10 * UNIT))


async def wait_for_cancels_what_is_late(log):
    async def late():
        try:
            await asyncio.sleep(20 * UNIT)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    try:
        await asyncio.wait_for(late(), UNIT)
    except TimeoutError:
        log.append("timed out")


async def wait_for_nothing_at_all_times_out(log):
    try:
        await asyncio.wait_for(asyncio.sleep(UNIT), 0)
    except TimeoutError:
        log.append("timed out")


async def task_group_waits_for_all(log):
    async def work(units):
        await asyncio.sleep(units * UNIT)
        log.append(units)

    async with asyncio.TaskGroup() as group:
        for units in (3, 1, 2):
            group.create_task(work(units))
    log.append("after")


async def task_group_cancels_the_rest(log):
    async def fail():
        await asyncio.sleep(UNIT)
        raise KeyError("first")

    async def wait(name):
        try:
            await asyncio.sleep(20 * UNIT)
        finally:
            log.append(f"{name} ended")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait("a"))
            group.create_task(fail())
    except* KeyError as errors:
        log.append(len(errors.exceptions))


async def task_group_collects_errors(log):
    async def fail(error):
        raise error

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(KeyError("a")))
            group.create_task(fail(ValueError("b")))
    except ExceptionGroup as errors:
        log.append([type(error).__name__ for error in errors.exceptions])


async def gather_keeps_the_order_of_its_arguments(log):
    async def work(units):
        await asyncio.sleep(units * UNIT)
        log.append(units)
        return units

    log.append(await asyncio.gather(work(3), work(1), work(2)))


async def gather_passes_the_first_error_on(log):
    async def fail(units):
        await asyncio.sleep(units * UNIT)
        raise KeyError(units)

    async def survive():
        await asyncio.sleep(3 * UNIT)
        log.append("survived")

    survivor = asyncio.create_task(survive())
    try:
        await asyncio.gather(fail(2), fail(1), survivor)
    except KeyError as error:
        log.append(error.args)
    await survivor


async def gather_can_return_errors(log):
    async def fail():
        raise KeyError("x")

    ends = await asyncio.gather(fail(), asyncio.sleep(0, "y"), return_exceptions=True)
    log.append([repr(end) for end in ends])


async def wait_returns_the_first(log):
    tasks = [asyncio.create_task(asyncio.sleep(units * UNIT, units)) for units in (5, 1, 9)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log.append(sorted(task.result() for task in done))
    log.append(len(pending))
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    log.append([task.cancelled() for task in tasks])


async def wait_gives_up_at_its_timeout(log):
    tasks = [asyncio.create_task(asyncio.sleep(units * UNIT)) for units in (1, 20)]
    done, pending = await asyncio.wait(tasks, timeout=5 * UNIT)
    log.append((len(done), len(pending)))
    for task in pending:
        task.cancel()


async def as_completed_yields_what_ends_first(log):
    work = [asyncio.sleep(units * UNIT, units) for units in (6, 2, 4)]
    log.extend([await one for one in asyncio.as_completed(work)])


async def shield_outlives_its_caller(log):
    async def work():
        await asyncio.sleep(2 * UNIT)
        log.append("done")

    inner = asyncio.create_task(work())

    async def call():
        await asyncio.shield(inner)

    caller = asyncio.create_task(call())
    await asyncio.sleep(UNIT)
    caller.cancel()
    try:
        await caller
    except asyncio.CancelledError:
        log.append("caller cancelled")
    await inner


async def cancel_reaches_the_innermost_await(log):
    async def inner():
        try:
            await asyncio.sleep(20 * UNIT)
        except asyncio.CancelledError as error:
            log.append(("inner", error.args))
            raise

    async def outer():
        try:
            await inner()
        finally:
            log.append("outer")

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    task.cancel("why")
    try:
        await task
    except asyncio.CancelledError:
        log.append((task.cancelled(), task.cancelling()))


async def cancel_may_be_swallowed(log):
    async def stubborn():
        try:
            await asyncio.sleep(20 * UNIT)
        except asyncio.CancelledError:
            there(asyncio.current_task()).uncancel()
            return "stayed"

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    log.append(task.cancel())
    log.append(await task)
    log.append((task.cancelled(), task.cancel()))


async def cancel_before_the_start_runs_nothing(log):
    async def work():
        log.append("never")

    task = asyncio.create_task(work())
    task.cancel()
    log.append([type(end).__name__ for end in await asyncio.gather(task, return_exceptions=True)])


async def async_generator_is_closed_at_its_break(log):
    async def numbers():
        try:
            for number in range(10):
                yield number
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    generator = numbers()
    async for number in generator:
        log.append(number)
        if number == 2:
            break
    await generator.aclose()


async def dropped_async_generator_is_finalized(log):
    async def numbers():
        try:
            yield 1
        finally:
            log.append("finalized")

    async for number in numbers():
        log.append(number)
        break
    await asyncio.sleep(UNIT)


async def context_is_copied_at_the_start(log):
    variable = contextvars.ContextVar("variable", default="unset")

    async def child():
        log.append(variable.get())
        variable.set("child")
        log.append(variable.get())

    variable.set("parent")
    task = asyncio.create_task(child())
    variable.set("later")
    await task
    log.append(variable.get())


async def timers_keep_their_context(log):
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("scheduled")
    loop = asyncio.get_running_loop()
    loop.call_later(UNIT, lambda: log.append(variable.get()))
    loop.call_soon(lambda: log.append(variable.get()))
    variable.set("later")
    await asyncio.sleep(3 * UNIT)


async def call_soon_is_first_come_first_served(log):
    loop = asyncio.get_running_loop()
    for name in "abc":
        loop.call_soon(log.append, name)
    handle = loop.call_soon(log.append, "never")
    handle.cancel()
    log.append(handle.cancelled())
    await asyncio.sleep(0)


async def timers_go_by_their_moment(log):
    loop = asyncio.get_running_loop()
    now = loop.time()
    for units in (5, 1, 3):
        loop.call_at(now + units * UNIT, log.append, units)
    cancelled = loop.call_later(2 * UNIT, log.append, "never")
    cancelled.cancel()
    log.append(cancelled.when() > now)
    await asyncio.sleep(8 * UNIT)


async def due_timers_join_the_next_pass(log):
    loop = asyncio.get_running_loop()

    def first():
        loop.call_later(0, log.append, "timer")
        loop.call_soon(log.append, "soon")

    def second():
        loop.call_soon(log.append, "soon too")

    loop.call_soon(first)
    loop.call_soon(second)
    for turn in range(4):
        await asyncio.sleep(0)
        log.append(turn)


async def done_callbacks_run_in_order(log):
    def note(name, done):
        log.append((name, done.result()))

    future = asyncio.get_running_loop().create_future()
    for name in "abc":
        future.add_done_callback(partial(note, name))
    future.set_result(1)
    log.append("set")
    await asyncio.sleep(0)


async def errors_of_callbacks_reach_the_handler(log):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(
        lambda _loop, context: log.append(type(context["exception"]).__name__)
    )
    loop.call_soon(lambda: 1 / 0)
    loop.call_soon(log.append, "after")
    await asyncio.sleep(0)


async def unawaited_errors_reach_the_handler(log):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: log.append(context["message"]))

    async def fail():
        raise KeyError("nobody")

    task = asyncio.create_task(fail())
    await asyncio.sleep(UNIT)
    del task


async def to_thread_brings_value_error_and_context(log):
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("caller")

    def fail():
        raise KeyError("from the thread")

    def running():
        try:
            asyncio.get_running_loop()
        except RuntimeError as error:
            return str(error)

    log.append(await asyncio.to_thread(variable.get))
    log.append(await asyncio.to_thread(running))
    loop = asyncio.get_running_loop()
    log.append(await loop.run_in_executor(None, variable.get))
    try:
        await asyncio.to_thread(fail)
    except KeyError as error:
        log.append(error.args)


async def all_tasks_and_names(log):
    task = asyncio.create_task(asyncio.sleep(UNIT), name="named")
    log.append(task in asyncio.all_tasks())
    log.append(sorted(one.get_name() for one in asyncio.all_tasks() if one.get_name() == "named"))
    await task
    log.append(task in asyncio.all_tasks())


PROGRAMS = [
    program
    for name, program in list(globals().items())
    if inspect.iscoroutinefunction(program) and not name.startswith("_")
]


def run_stock(program):
    log = []
    run_jumping(program(log))
    return log


def run_virtual(program):
    log = []
    outcome = simulate(lambda: program(log), seed=1)
    assert outcome.error is None
    assert outcome.diagnosis is None
    return log


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program_does_the_same_as_on_stock_asyncio(program):
    expected = run_stock(program)
    assert expected, "a program that logs nothing shows nothing"
    assert run_virtual(program) == expected


def test_there_are_at_least_forty_programs():
    assert len(PROGRAMS) >= 40
