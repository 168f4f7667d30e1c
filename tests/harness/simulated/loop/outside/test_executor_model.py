"""Claims about executors in virtual time."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from harness import explore
from harness.errors import Unsupported
from harness.simulated.simulation import simulate


def value_of(main, **options):
    outcome = simulate(main, seed=7, **options)
    assert outcome.error is None, repr(outcome.error)
    assert outcome.diagnosis is None, outcome.diagnosis
    return outcome.value


def one_second(_stream):
    return 1.0


def test_a_call_takes_one_to_five_milliseconds_by_default():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(int)
        return loop.time()

    assert 0.001 <= value_of(main) <= 0.005


def test_a_single_worker_keeps_its_order_whatever_the_latencies():
    async def main():
        pool = ThreadPoolExecutor(max_workers=1)
        seen = []
        loop = asyncio.get_running_loop()
        calls = [loop.run_in_executor(pool, seen.append, number) for number in range(50)]
        await asyncio.gather(*calls)
        return seen

    assert value_of(main) == list(range(50))


def test_a_single_worker_keeps_its_order_in_every_run_of_a_search():
    async def main():
        pool, seen = ThreadPoolExecutor(max_workers=1), []
        loop = asyncio.get_running_loop()

        async def call(number):
            await loop.run_in_executor(pool, seen.append, number)

        await asyncio.gather(*map(call, range(3)))
        assert seen == [0, 1, 2]

    explore(main, runs=200, allow=["one_order"])


def test_calls_of_many_workers_overtake_each_other():
    async def main():
        seen = []
        await asyncio.gather(*(asyncio.to_thread(seen.append, number) for number in range(50)))
        return seen

    seen = value_of(main)
    assert sorted(seen) == list(range(50))
    assert seen != sorted(seen)


def test_a_pool_of_three_works_on_three_calls_at_once():
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(max_workers=3))
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(7)))
        return loop.time()

    assert value_of(main, executor_latency=one_second) == 3.0


def test_the_default_pool_has_the_workers_it_was_given():
    async def main():
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(8)))
        return asyncio.get_running_loop().time()

    assert value_of(main, executor_latency=one_second, executor_workers=2) == 4.0


def test_the_function_runs_when_its_time_is_over():
    async def main():
        loop = asyncio.get_running_loop()
        begun = asyncio.ensure_future(asyncio.to_thread(loop.time))
        return await begun

    assert value_of(main, executor_latency=one_second) == 1.0


def test_a_call_cancelled_before_it_begins_never_runs():
    async def main():
        pool = ThreadPoolExecutor(max_workers=1)
        loop = asyncio.get_running_loop()
        seen = []
        loop.run_in_executor(pool, seen.append, "first")
        second = loop.run_in_executor(pool, seen.append, "second")
        await asyncio.sleep(0.5)
        second.cancel()
        await asyncio.sleep(5)
        return seen

    assert value_of(main, executor_latency=one_second) == ["first"]


def test_a_call_cancelled_after_it_began_runs_unheard():
    async def main():
        seen = []
        call = asyncio.create_task(asyncio.to_thread(seen.append, "run"))
        await asyncio.sleep(0.5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        before = list(seen)
        await asyncio.sleep(5)
        return before, seen

    assert value_of(main, executor_latency=one_second) == ([], ["run"])


def test_real_sqlite_works_inside_a_call(tmp_path):
    def write(path):
        with sqlite3.connect(path) as connection:
            connection.execute("create table if not exists t (x)")
            connection.execute("insert into t values (1)")
            return connection.execute("select count(*) from t").fetchone()[0]

    async def main():
        return await asyncio.to_thread(write, tmp_path / "store.sqlite3")

    assert value_of(main) == 1


def test_a_sleep_inside_a_call_makes_it_longer():
    def nap():
        begin = time.monotonic()
        time.sleep(2)
        return time.monotonic() - begin

    async def main():
        return await asyncio.to_thread(nap), asyncio.get_running_loop().time()

    assert value_of(main, executor_latency=one_second) == (2.0, 3.0)


def test_shutdown_waits_for_the_calls_and_takes_no_more():
    async def main():
        loop = asyncio.get_running_loop()
        seen = []
        loop.run_in_executor(None, seen.append, "late")
        await loop.shutdown_default_executor()
        with pytest.raises(RuntimeError, match="Executor shutdown"):
            await loop.run_in_executor(None, int)
        return seen, loop.time()

    assert value_of(main, executor_latency=one_second) == (["late"], 1.0)


def test_a_pool_that_was_shut_down_takes_no_call():
    async def main():
        pool = ThreadPoolExecutor(max_workers=1)
        pool.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            await asyncio.get_running_loop().run_in_executor(pool, int)

    value_of(main)


def test_no_thread_is_started():
    before = threading.active_count()

    async def main():
        await asyncio.gather(*(asyncio.to_thread(int) for _ in range(20)))
        return threading.active_count()

    assert value_of(main) == before


def test_a_process_pool_is_refused():
    async def main():
        with ProcessPoolExecutor(max_workers=1) as pool:
            await asyncio.get_running_loop().run_in_executor(pool, int)

    error = simulate(main, seed=7).error
    assert isinstance(error, Unsupported)
    assert "asyncio.to_thread" in str(error)
