"""A step that does not return is ended: as a finding where that is shown, else as a limit."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import sys
import threading
import types
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.errors import Deadlock, LimitReached
from harness.processes.pulse import PULSE_S, begin_pulse, end_pulse, is_pulse
from harness.simulated.guards import watchdog as module
from harness.simulated.guards.watchdog import is_debugged
from harness.simulated.simulation import run, simulate
from tests.there import there

LOCK = threading.Lock()
pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(autouse=True)
def in_haste(monkeypatch):
    monkeypatch.setattr(module, "BLOCKED_S", 3 * PULSE_S)
    monkeypatch.setattr(module, "CPU_S", 0.3)
    monkeypatch.setattr(module, "WAITS_S", 0.8)


class Service:
    """Each method waits for what only its own loop could give."""

    def __init__(self):
        self.lock = threading.Lock()
        self.locks = {"ann": self.lock}

    async def takes_a_lock_twice(self):
        self.lock.acquire()
        self.lock.acquire()

    async def enters_a_lock_twice(self):
        with self.lock, LOCK, self.locks["ann"]:
            pass

    async def holds_a_lock_across_an_await(self):
        async def takes():
            with self.lock:
                await asyncio.sleep(1)

        await asyncio.gather(takes(), takes())

    async def waits_for_a_semaphore(self):
        threading.Semaphore(0).acquire()

    async def waits_for_a_condition(self):
        condition = threading.Condition(threading.RLock())
        with condition:
            condition.wait()

    async def waits_for_an_event(self):
        threading.Event().wait()

    async def waits_at_a_barrier(self):
        threading.Barrier(2).wait()

    async def gets_an_item(self):
        queue.Queue().get()

    async def puts_into_a_full_queue(self):
        items = queue.Queue(1)
        items.put(1)
        items.put(2)

    async def gets_a_simple_item(self):
        items = queue.SimpleQueue()
        items.get()

    async def waits_for_a_coroutine_of_its_loop(self):
        loop = asyncio.get_running_loop()
        future = asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop)
        await asyncio.sleep(0)
        future.result(60)

    async def waits_for_what_the_loop_has_not_begun(self):
        loop = asyncio.get_running_loop()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(1), loop).result()

    async def waits_in_an_executor(self):
        items = queue.Queue()
        asyncio.get_running_loop().call_later(1, items.put, 1)
        await asyncio.to_thread(items.get)

    async def takes_every_exception(self):
        while True:
            try:  # noqa: SIM105 - it is what such a loop looks like
                self.lock.acquire()
            except BaseException:  # noqa: BLE001 - that is the point
                pass


METHODS = [name for name in vars(Service) if not name.startswith("_")]


@pytest.mark.parametrize("name", METHODS)
def test_a_wait_that_only_the_loop_could_end_is_a_finding_with_its_line(name):
    ran = simulate(getattr(Service(), name), seed=0)
    assert ran.cut is not None
    assert ran.cut.shown, threading.enumerate()
    assert "the loop waits for itself" in ran.cut.text
    lines = [line for *_, line in getattr(Service, name).__code__.co_lines() if line]
    told = int(there(re.search(r"test_watchdog\.py:(\d+) in", ran.cut.text))[1])
    assert min(lines) <= told <= max(lines) + 5, ran.cut.text


async def waits_for_another_tasks_lock():
    lock = threading.Lock()

    async def holds():
        with lock:
            await asyncio.sleep(1)

    async def waits():
        await asyncio.sleep(0.1)
        await asyncio.to_thread(lock.acquire, True, 60)

    await asyncio.gather(holds(), waits())


def test_a_function_of_c_that_waits_in_an_executor_is_told_by_the_line_that_asked_for_it():
    cut = simulate(waits_for_another_tasks_lock, seed=0).cut
    assert cut is not None
    assert not cut.shown
    assert re.search(r"at tests/\S+test_watchdog.py:\d+ in waits_for_another_tasks_lock", cut.text)
    assert "simpy" not in cut.text


async def computes_for_ever():
    while True:
        pass


async def awaits_what_is_there():
    there = asyncio.Event()
    there.set()
    while True:
        await there.wait()


async def asks_for_its_number():
    while True:
        os.getpid()


@pytest.mark.parametrize("main", [computes_for_ever, awaits_what_is_there, asks_for_its_number])
def test_a_step_that_only_takes_long_is_a_limit_with_the_busiest_line(main):
    with pytest.raises(LimitReached, match=rf"no turn for the loop in 0.3 s .*{main.__name__}"):
        run(main, seed=0)


def test_a_wait_that_another_thread_could_end_is_a_limit():
    ends, lock = threading.Event(), threading.Lock()
    lock.acquire()
    other = threading.Thread(target=ends.wait)
    other.start()

    async def main():
        lock.acquire()

    try:
        with pytest.raises(LimitReached, match=r"in 0.8 s in which it waited, at .* in .*main"):
            run(main, seed=0)
    finally:
        ends.set()
        other.join()


def test_idle_threads_of_a_pool_give_nothing():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        with pytest.raises(Deadlock, match="a lock that no other thread can give"):
            run(Service().takes_a_lock_twice, seed=0)


def test_a_wait_with_a_time_of_its_own_goes_on():
    async def main():
        waited = threading.Event().wait(6 * PULSE_S)
        taken = LOCK.acquire(timeout=0.01)
        LOCK.release()
        return waited, taken

    assert run(main, seed=0) == (False, True)


def test_a_run_of_many_short_steps_goes_on():
    async def main():
        for _ in range(200_000):
            await asyncio.sleep(0.001)

    ran = simulate(main, seed=0)
    assert ran.cut is None
    assert ran.virtual_s == pytest.approx(200)


def test_what_a_lost_run_still_cleans_up_has_less_time():
    async def main():
        try:
            threading.Event().wait()
        finally:
            while True:
                pass

    with pytest.raises(Deadlock, match="waits for itself"):
        run(main, seed=0)


def test_a_leftover_that_waits_as_it_is_cancelled_is_ended():
    async def main():
        async def left():
            try:
                await asyncio.sleep(1)
            finally:
                threading.Event().wait()

        task = asyncio.create_task(left())
        await asyncio.sleep(0)
        return task.get_name()

    assert there(simulate(main, seed=0).cut).shown


def test_the_signals_handler_is_put_back():
    before = signal.getsignal(signal.SIGURG)

    async def main():
        assert signal.getsignal(signal.SIGURG) != before

    run(main, seed=0)
    assert signal.getsignal(signal.SIGURG) == before


def test_in_another_thread_a_busy_step_is_ended():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(simulate(computes_for_ever, seed=0)), daemon=True
    )
    thread.start()
    thread.join(30)
    assert "no turn for the loop" in there(found[0].cut).text


def takes_half_a_second():
    for _ in range(5):
        threading.Event().wait(PULSE_S)
    return "went on"


def test_under_a_tracer_nothing_is_ended():
    async def main():
        return takes_half_a_second()

    before = sys.gettrace()
    sys.settrace(lambda *_: None)
    try:
        assert is_debugged(None)
        assert run(main, seed=0) == "went on"
    finally:
        sys.settrace(before)


def test_within_a_debugger_that_was_entered_in_the_run_nothing_is_ended(monkeypatch):
    monkeypatch.setattr(module, "WAITS_S", 2 * PULSE_S)
    entered = types.FunctionType(takes_half_a_second.__code__, {**globals(), "__name__": "pdb"})

    async def main():
        return entered()

    assert run(main, seed=0) == "went on"
    with pytest.raises(LimitReached):
        run(as_main(takes_half_a_second), seed=0)


def as_main(function):
    async def main():
        return function()

    return main


def test_a_measurement_of_coverage_is_no_debugger(monkeypatch):
    tracer = type("CTracer", (), {"__module__": "coverage.tracer", "__call__": lambda *_: None})()
    monkeypatch.setattr(sys, "gettrace", lambda: tracer)
    assert not is_debugged(None)


def test_without_a_watchdog_nothing_is_watched(monkeypatch):
    monkeypatch.setattr(module, "WAITS_S", 2 * PULSE_S)
    assert run(as_main(takes_half_a_second), seed=0, watchdog=False) == "went on"


def test_nobody_forks_a_second_thread():
    begin_pulse(lambda: None)
    end_pulse()
    with warnings.catch_warnings():
        # CPython 3.12 on warns of threads beside a fork.
        warnings.simplefilter("error")
        child = os.fork()
        if not child:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert is_pulse(0), "it has ended"
    with pytest.raises(LimitReached):
        run(computes_for_ever, seed=0)


def test_a_child_of_a_fork_has_a_watchdog_too():
    child = os.fork()
    if not child:
        ran = simulate(Service().takes_a_lock_twice, seed=0)
        os._exit(7 if ran.cut is not None and ran.cut.shown else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
