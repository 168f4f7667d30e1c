"""What a closed system leaves is found: pending tasks with the line that made them, coroutines."""

from __future__ import annotations

import asyncio
import gc
import re
import warnings

import pytest

from harness.diagnosis.dropped_coroutines import DroppedCoroutines
from harness.diagnosis.task_origins import TaskOrigins, leaked, origin_of
from harness.simulated.simulation import simulate

HERE = r"tests/harness/diagnosis/test_task_origins\.py:\d+ in "


async def forever():
    await asyncio.Event().wait()


def on_asyncio(main):
    with TaskOrigins():
        return asyncio.run(main())


def simulated(main):
    outcome = simulate(main, seed=1)
    assert outcome.error is None
    return outcome.value


both = pytest.mark.parametrize("run", [on_asyncio, simulated])


def start_one():
    return asyncio.create_task(forever(), name="one")


@both
def test_a_task_that_is_left_is_told_with_the_line_that_made_it(run):
    async def main():
        before = asyncio.all_tasks()
        task = start_one()
        found = await leaked(before)
        task.cancel()
        return found

    (leak,) = run(main)
    assert (leak.kind, leak.name) == ("task", "one")
    assert re.fullmatch(HERE + "start_one", leak.made_at)
    assert re.fullmatch(HERE + "forever", leak.where)


@both
@pytest.mark.parametrize("way", ["TaskGroup", "ensure_future", "gather"])
def test_every_way_to_make_a_task_is_traced_to_the_program(run, way):
    async def main():
        if way == "TaskGroup":
            async with asyncio.TaskGroup() as group:
                return origin_of(group.create_task(asyncio.sleep(0)))
        if way == "ensure_future":
            return origin_of(asyncio.ensure_future(asyncio.sleep(0)))
        before = asyncio.all_tasks()
        gathered = asyncio.gather(asyncio.sleep(0))
        (task,) = asyncio.all_tasks() - before
        await gathered
        return origin_of(task)

    assert re.search(r"test_task_origins\.py:\d+ in .*main$", run(main))


@both
def test_what_ends_at_once_or_is_being_cancelled_or_was_there_is_no_leak(run):
    async def main():
        old = start_one()
        before = asyncio.all_tasks()
        ending = asyncio.create_task(asyncio.sleep(0))
        cancelled = start_one()
        cancelled.cancel()
        found = await leaked(before)
        old.cancel()
        return found, ending.done()

    assert run(main) == ([], True)


@both
def test_of_tasks_that_await_each_other_the_outermost_is_told(run):
    async def parent():
        await asyncio.gather(asyncio.create_task(forever(), name="child"))

    async def main():
        before = asyncio.all_tasks()
        task = asyncio.create_task(parent(), name="parent")
        found = await leaked(before)
        task.cancel()
        return [leak.name for leak in found]

    assert run(main) == ["parent"]


@both
def test_an_error_that_nobody_took_is_told_with_the_line_that_made_its_task(run):
    async def fail():
        raise ValueError("lost")

    async def main():
        told = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: told.append(context["future"]))
        asyncio.create_task(fail())  # noqa: RUF006 - that nobody keeps it is what is tested
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()
        return [origin_of(task) for task in told]

    (made_at,) = run(main)
    assert re.search(HERE + r".*main$", made_at)


def test_a_simulated_run_tells_it():
    async def fail():
        raise ValueError("lost")

    async def main():
        asyncio.create_task(fail(), name="failing")  # noqa: RUF006 - see above
        await asyncio.sleep(1)

    (told,) = simulate(main, seed=1).unhandled
    assert re.search(rf"\(failing, made at {HERE}.*main\): ValueError\('lost'\)", told)


def test_a_coroutine_that_nobody_awaits_is_told_with_its_line():
    async def main():
        forever()  # type: ignore[unused-coroutine]

    with DroppedCoroutines() as dropped, warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
    (leak,) = dropped.found
    assert (leak.kind, leak.name) == ("coroutine", "forever")
    assert re.search(HERE + r".*main$", leak.made_at)
    assert re.fullmatch(HERE + "forever", leak.where)


def test_a_coroutine_of_asyncios_own_that_the_program_drops_is_told_too():
    async def main():
        asyncio.sleep(1)  # type: ignore[unused-coroutine]

    with DroppedCoroutines() as dropped, warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
    (leak,) = dropped.found
    assert leak.name == "sleep"
    assert re.search(HERE + r".*main$", leak.made_at)


def test_python_warns_again_afterwards():
    with DroppedCoroutines() as dropped:
        pass
    with pytest.warns(RuntimeWarning, match="'forever' was never awaited"):
        forever()  # type: ignore[unused-coroutine]
    assert dropped.found == []


def test_asyncio_is_put_back():
    original = asyncio.BaseEventLoop.create_task
    with TaskOrigins():
        assert asyncio.BaseEventLoop.create_task is not original
    assert asyncio.BaseEventLoop.create_task is original


def test_a_coroutine_that_asyncio_itself_drops_is_not_the_programs():
    code = compile("lambda sleep: sleep(1) and None", asyncio.tasks.__file__, "eval")
    # Whose a frame is, the name of its module says.
    drop = eval(code, {"__name__": asyncio.tasks.__name__})
    with DroppedCoroutines() as dropped, pytest.warns(RuntimeWarning, match="never awaited"):
        drop(asyncio.sleep)
    assert dropped.found == []
