"""What a program leaves behind fails it, run and explored alike, unless that is allowed."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import suppress

import pytest

from harness import BadInput, FailureFound, explore, simulate

KEPT: list[object] = []


@pytest.fixture(autouse=True)
def kept():
    yield
    KEPT.clear()


async def waits(seconds=60):
    await asyncio.sleep(seconds)


async def numbers():
    for number in range(3):
        yield number


async def a_task():
    KEPT.append(asyncio.create_task(waits()))
    await asyncio.sleep(0)


async def a_task_of_a_gather():
    async def fails():
        raise ConnectionError

    with suppress(ConnectionError):
        await asyncio.gather(fails(), waits())


async def a_task_that_waits_for_an_event():
    KEPT.append(asyncio.create_task(asyncio.Event().wait()))


async def a_task_that_waits_for_a_lock():
    lock = asyncio.Lock()
    async with lock:
        KEPT.append(asyncio.create_task(lock.acquire()))
        await asyncio.sleep(0)
        KEPT.append(asyncio.create_task(lock.acquire()))
    KEPT.append(lock)


async def a_generator():
    generator = numbers()
    await anext(generator)
    KEPT.append(generator)


async def a_lock():
    lock = asyncio.Lock()
    KEPT.append(lock)

    async def works(*, early):
        await lock.acquire()
        if early:
            return
        lock.release()

    await works(early=False)
    await works(early=True)


async def a_permit():
    places = asyncio.Semaphore(2)
    KEPT.append(places)

    async def works(number):
        await places.acquire()
        await asyncio.sleep(0.1)
        if number == 1:
            raise ValueError(number)
        places.release()

    await asyncio.gather(works(0), works(1), return_exceptions=True)


LEAKS = {
    a_task: ("leaked_tasks", "of waits"),
    a_task_of_a_gather: ("leaked_tasks", "of waits"),
    a_task_that_waits_for_an_event: ("leaked_tasks", "of Event.wait"),
    a_task_that_waits_for_a_lock: ("leaked_tasks", "of .*acquire"),
    a_generator: ("leaked_generators", "generator numbers was neither ended nor closed"),
    a_lock: ("held_locks", "never given back"),
    a_permit: ("held_locks", "never given back"),
}


def explored(main, *, allow=(), **options):
    return explore(main, runs=20, allow=[*allow, "one_order"], **options)


@pytest.mark.parametrize("way", [simulate, explored])
@pytest.mark.parametrize("main", LEAKS)
def test_what_is_left_behind_fails_and_is_allowed_by_name(main, way):
    kind, told = LEAKS[main]
    with pytest.raises(FailureFound, match=told) as failed:
        way(main)
    assert f'allow=["{kind}"]' in str(failed.value)
    assert "not decided by its seed" not in str(failed.value)
    KEPT.clear()
    way(main, allow=[kind])
    KEPT.clear()
    way(main, allow=["leaks"])


async def a_task_that_is_being_cancelled():
    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()


async def a_task_that_is_about_to_end():
    task = asyncio.create_task(waits(0))
    KEPT.append(task)


async def a_generator_that_was_broken_off():
    async for _ in numbers():
        break


async def a_generator_that_was_closed():
    generator = numbers()
    await anext(generator)
    await generator.aclose()
    KEPT.append(generator)


async def a_generator_in_garbage():
    generator = numbers()
    await anext(generator)
    cycle = [generator]
    cycle.append(cycle)


async def locks_that_are_given_back():
    lock = asyncio.Lock()
    KEPT.append(lock)

    async def works():
        async with lock:
            await asyncio.sleep(0.1)

    await asyncio.gather(works(), works())
    await lock.acquire()
    asyncio.get_running_loop().call_later(0.1, lock.release)
    await lock.acquire()
    lock.release()


async def a_timeout():
    with suppress(TimeoutError):
        await asyncio.wait_for(waits(), 1)
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await waits()


@pytest.mark.parametrize("way", [simulate, explored])
@pytest.mark.parametrize(
    "main",
    [
        a_task_that_is_being_cancelled,
        a_task_that_is_about_to_end,
        a_generator_that_was_broken_off,
        a_generator_that_was_closed,
        a_generator_in_garbage,
        locks_that_are_given_back,
        a_timeout,
    ],
)
def test_what_ends_or_is_given_back_passes(main, way):
    way(main)


@pytest.mark.parametrize("allow", ["leaks", ["leak"], ["nothing_like_it"], [1], None])
def test_a_name_that_is_not_known_is_refused(allow):
    with pytest.raises(BadInput, match=r"^allow: "):
        simulate(waits, allow=allow)


def failing():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("lost"))
    return future


async def a_future_that_is_kept():
    KEPT.append(failing())


async def a_future_that_is_dropped():
    failing()


async def a_future_in_garbage():
    future = failing()
    future.cycle = future


async def a_future_that_is_returned():
    return failing()


async def a_future_among_old_objects():
    KEPT.append(failing())
    gc.collect()


async def a_callback():
    asyncio.get_running_loop().call_soon(lambda: int("lost"))
    await asyncio.sleep(0.1)


async def a_done_callback():
    task = asyncio.create_task(waits(0))
    task.add_done_callback(lambda _: int("lost"))
    await task
    await asyncio.sleep(0)


async def a_task_that_failed():
    async def fails():
        raise ValueError("lost")

    KEPT.append(asyncio.create_task(fails()))
    await asyncio.sleep(0.1)


@pytest.mark.parametrize("way", [simulate, explored])
@pytest.mark.parametrize(
    "main",
    [
        a_future_that_is_kept,
        a_future_that_is_dropped,
        a_future_in_garbage,
        a_future_that_is_returned,
        a_future_among_old_objects,
        a_callback,
        a_done_callback,
        a_task_that_failed,
    ],
)
def test_an_error_that_nobody_asked_for_fails_held_or_not(main, way):
    with pytest.raises(FailureFound, match="lost") as failed:
        way(main)
    assert "not decided by its seed" not in str(failed.value)


class Soft:
    """Takes the error of its future at its own end, as asyncio's streams do."""

    def __init__(self):
        self.closed = failing()

    def __del__(self):
        self.closed.exception()


async def a_future_whose_error_was_asked_for():
    future = failing()
    future.exception()
    KEPT.append(future)


async def a_future_whose_holder_takes_its_error():
    KEPT.append(Soft())


@pytest.mark.parametrize("way", [simulate, explored])
@pytest.mark.parametrize(
    "main", [a_future_whose_error_was_asked_for, a_future_whose_holder_takes_its_error]
)
def test_an_error_that_is_taken_passes(main, way):
    way(main)


async def sleeps():
    time.sleep(0.5)  # noqa: ASYNC251 - what is wrong with it


async def sleeps_and_takes_every_error():
    with suppress(Exception):
        time.sleep(0.5)  # noqa: ASYNC251 - what is wrong with it


async def sleeps_in_a_thread():
    time.sleep(0)  # noqa: ASYNC251 - what is wrong with it
    await asyncio.to_thread(time.sleep, 5)


@pytest.mark.parametrize("way", [simulate, explored])
def test_a_sleep_on_the_loop_fails_with_its_line(way):
    for main in (sleeps, sleeps_and_takes_every_error):
        with pytest.raises(
            FailureFound, match=rf"time\.sleep\(0\.5\) at .*:\d+ in {main.__name__}"
        ):
            way(main)
    way(sleeps_in_a_thread)


async def an_event_by_a_timer():
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.1, event.set)
    await event.wait()
    raise AssertionError


async def a_lock_by_a_timer():
    lock = asyncio.Lock()
    await lock.acquire()
    asyncio.get_running_loop().call_later(0.1, lock.release)
    await lock.acquire()
    raise AssertionError


async def a_permit_by_a_timer():
    places = asyncio.Semaphore(0)
    asyncio.get_running_loop().call_later(0.1, places.release)
    await places.acquire()
    raise AssertionError


async def an_item_by_a_timer():
    queue = asyncio.Queue()
    asyncio.get_running_loop().call_later(0.1, queue.put_nowait, 1)
    await queue.get()
    raise AssertionError


async def a_result_by_a_timer():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.1, future.set_result, 1)
    await future
    raise AssertionError


@pytest.mark.parametrize("adversarial", [False, True])
@pytest.mark.parametrize(
    "main",
    [
        an_event_by_a_timer,
        a_lock_by_a_timer,
        a_permit_by_a_timer,
        an_item_by_a_timer,
        a_result_by_a_timer,
    ],
)
def test_a_failure_after_what_a_timer_does_is_decided_by_its_seed(main, adversarial):
    with pytest.raises(FailureFound, match="AssertionError") as failed:
        explore(main, runs=20, adversarial=adversarial)
    assert "not decided by its seed" not in str(failed.value)
