"""Claims about the virtual loop itself: its clock, its order, what it refuses."""

from __future__ import annotations

import asyncio
import math
import signal
import threading

import pytest

from harness.errors import Deadlock, FailureFound, LimitReached, Unsupported
from harness.simulated.loop import virtual_loop
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.virtual_loop import VirtualLoop, running_virtual_loop
from harness.simulated.simulation import run, simulate
from tests.there import there


def value_of(main, **options):
    outcome = simulate(main, seed=7, **options)
    assert outcome.error is None, repr(outcome.error)
    assert outcome.diagnosis is None, outcome.diagnosis
    return outcome.value


def test_a_year_passes_in_no_time():
    async def main():
        await asyncio.sleep(365 * 86_400)
        return asyncio.get_running_loop().time()

    assert value_of(main) == 31_536_000.0


def test_timers_of_one_moment_fire_first_come_first_served():
    async def main():
        fired = []
        loop = asyncio.get_running_loop()
        for number in range(200):
            loop.call_at(5.0, fired.append, number)
        await asyncio.sleep(6)
        return fired

    assert value_of(main) == list(range(200))


def test_cancelled_timers_do_not_move_the_clock():
    async def main():
        loop = asyncio.get_running_loop()
        for handle in [loop.call_later(1_000 + number, print) for number in range(500)]:
            handle.cancel()
        await asyncio.sleep(1)
        return loop.time()

    outcome = simulate(main, seed=7)
    assert outcome.value == 1.0
    assert outcome.virtual_s == 1.0


def test_cancelled_timers_are_swept_from_the_queue():
    async def main():
        loop = running_virtual_loop()
        for _ in range(10_000):
            loop.call_later(1e6, print).cancel()
        return len(loop.environment.queue)

    assert value_of(main) < 300


def test_a_cancelled_timer_beside_a_live_one_is_skipped():
    async def main():
        loop = asyncio.get_running_loop()
        fired = []
        loop.call_later(1, fired.append, "first")
        second = loop.call_later(1, fired.append, "second")
        loop.call_later(1, fired.append, "third")
        second.cancel()
        await asyncio.sleep(2)
        return fired

    assert value_of(main) == ["first", "third"]


def test_a_timer_cancelled_by_its_neighbour_does_not_fire():
    async def main():
        loop = asyncio.get_running_loop()
        fired = []
        second: asyncio.TimerHandle
        # A lambda, because the timer that it cancels comes after it.
        loop.call_later(1, lambda: second.cancel())  # noqa: PLW0108
        second = loop.call_later(1, fired.append, "second")
        await asyncio.sleep(2)
        return fired, second.cancelled()

    assert value_of(main) == ([], True)


def test_a_sleep_without_end_is_a_deadlock_and_not_the_end_of_time():
    outcome = simulate(lambda: asyncio.sleep(math.inf), seed=7)
    assert outcome.pause is Pause.STUCK
    assert outcome.virtual_s == 0.0


def test_polling_with_sleep_zero_does_not_stop_time():
    async def main():
        done = asyncio.create_task(asyncio.sleep(0.5))
        while not done.done():  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert 0.5 <= value_of(main) < 0.6


def test_a_run_that_never_ends_is_ended_at_its_limit_of_steps():
    async def main():
        while True:  # noqa: ASYNC110 - spinning is what this is about
            await asyncio.sleep(0)

    outcome = simulate(main, seed=7, steps_max=20_000)
    assert outcome.pause is Pause.STEPS
    cut = there(outcome.cut)
    assert not cut.shown
    assert cut.text.startswith("ended after 20,000 steps at ")
    assert "test_virtual_loop.py" in cut.lines[0]
    with pytest.raises(LimitReached, match="steps_max allows more"):
        run(main, seed=7, steps_max=20_000)


def test_a_world_that_ticks_for_ever_without_a_task_is_diagnosed(monkeypatch):
    monkeypatch.setattr(virtual_loop, "_IDLE_PASSES_MAX", 10_000)

    async def main():
        environment = running_virtual_loop().environment

        def tick():
            while True:
                yield environment.timeout(1)

        environment.process(tick())
        await asyncio.Event().wait()

    outcome = simulate(main, seed=7)
    assert outcome.pause is Pause.IDLING
    assert not there(outcome.diagnosis).exact


def test_tasks_are_named_by_their_creation():
    async def main():
        tasks = [asyncio.create_task(asyncio.sleep(0)) for _ in range(3)]
        named = asyncio.create_task(asyncio.sleep(0), name="mine")
        return [task.get_name() for task in [there(asyncio.current_task()), *tasks, named]]

    assert value_of(main) == ["task-1", "task-2", "task-3", "task-4", "mine"]


def test_a_wait_for_takes_no_number_from_the_tasks_after_it():
    async def main():
        await asyncio.wait_for(asyncio.sleep(1), 5)
        return asyncio.create_task(asyncio.sleep(0)).get_name()

    assert value_of(main) == "task-2"


def test_call_soon_threadsafe_works_on_the_loops_own_thread():
    async def main():
        called = []
        asyncio.get_running_loop().call_soon_threadsafe(called.append, 1)
        await asyncio.sleep(0)
        return called

    assert value_of(main) == [1]


def test_call_soon_threadsafe_is_refused_from_another_thread():
    refused = []

    async def main():
        loop = asyncio.get_running_loop()

        def call():
            try:
                loop.call_soon_threadsafe(print)
            except Unsupported as error:
                refused.append(str(error))

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    simulate(main, seed=7, strict=False)
    assert "from another thread" in refused[0]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add_reader", (0, print)),
        ("remove_writer", (0,)),
        ("create_connection", (asyncio.Protocol, "localhost", 1)),
        ("create_server", (asyncio.Protocol, "localhost", 1)),
        ("create_unix_connection", (asyncio.Protocol, "/tmp/x")),
        ("create_datagram_endpoint", (asyncio.DatagramProtocol,)),
        ("getaddrinfo", ("localhost", 1)),
        ("sock_recv", (None, 1)),
        ("subprocess_exec", (asyncio.SubprocessProtocol, "true")),
        ("connect_read_pipe", (asyncio.Protocol, None)),
        ("add_signal_handler", (2, print)),
        ("set_task_factory", (lambda loop, coro: None,)),
    ],
)
def test_what_has_no_faithful_form_is_refused_with_advice(method, arguments):
    async def main():
        getattr(asyncio.get_running_loop(), method)(*arguments)

    error = simulate(main, seed=7).error
    assert isinstance(error, Unsupported)
    assert f"loop.{method}" in str(error)
    assert any(word in str(error) for word in ("live", "await", "set none"))


def test_every_method_of_an_event_loop_is_there_or_refused():
    missing = [
        name
        for name in vars(asyncio.AbstractEventLoop)
        if not name.startswith("_")
        and getattr(VirtualLoop, name) is getattr(asyncio.AbstractEventLoop, name)
    ]
    assert missing == []


def test_the_loop_works_under_asyncios_own_runner():
    async def main():
        await asyncio.sleep(3)
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == 3.0
        assert runner.run(main()) == 6.0


def test_a_deadlock_under_asyncios_runner_is_raised():
    async def main():
        await asyncio.Event().wait()

    with (
        pytest.raises(Deadlock, match=r"(?s)nothing is ready.*task-1 waits for Event.wait"),
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        runner.run(main())


def test_run_forever_runs_until_stopped():
    loop = VirtualLoop()
    loop.call_later(5, loop.stop)
    loop.call_later(9, print, "never")
    loop.run_forever()
    assert loop.time() == 5.0
    loop.close()


def test_a_closed_loop_takes_nothing():
    loop = VirtualLoop()
    loop.close()
    loop.close()
    for call in (lambda: loop.call_soon(print), loop.run_forever):
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            call()
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.create_task(coroutine)
    coroutine.close()


def test_debug_mode_remembers_where_tasks_were_made():
    async def main():
        shown = repr(asyncio.current_task())
        return asyncio.get_running_loop().get_debug(), "created at " in shown

    assert value_of(main, debug=True) == (True, True)
    assert value_of(main) == (False, False)


def test_left_over_async_generators_are_closed_at_the_end():
    closed = []

    async def numbers():
        try:
            yield 1
        finally:
            await asyncio.sleep(1)
            closed.append(True)

    kept = []

    async def main():
        generator = numbers()
        kept.append(generator)
        return await anext(generator)

    assert value_of(main) == 1
    assert closed == [True]


def test_ctrl_c_leaves_the_run_at_once():
    async def main():
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        simulate(main, seed=7)


def test_a_keyboard_interrupt_that_the_program_raises_is_its_own_error():
    async def main():
        raise KeyboardInterrupt

    async def later():
        await asyncio.to_thread(main().send, None)

    for one in (main, later):
        assert isinstance(simulate(one, seed=7).error, KeyboardInterrupt)
        with pytest.raises(FailureFound, match="raised KeyboardInterrupt"):
            run(one, seed=7)


def test_running_virtual_loop_is_refused_elsewhere():
    async def main():
        running_virtual_loop()

    with pytest.raises(Unsupported, match="must be a VirtualLoop"):
        asyncio.run(main())
    with pytest.raises(Unsupported, match="got NoneType"):
        running_virtual_loop()


def test_handles_say_what_they_are():
    async def main():
        loop = asyncio.get_running_loop()
        soon, later = loop.call_soon(int, "1"), loop.call_later(3, int, "2")
        texts = repr(soon), repr(later), later.when()
        soon.cancel()
        later.cancel()
        return (*texts, repr(soon), later.cancelled())

    soon, later, when, cancelled, is_cancelled = value_of(main)
    assert soon == "<ReadyHandle <class 'int'>('1')>"
    assert later == "<Timer when=3.0 <class 'int'>('2')>"
    assert when == 3.0
    assert cancelled == "<ReadyHandle cancelled>"
    assert is_cancelled
