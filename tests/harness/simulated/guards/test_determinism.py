"""One seed decides a run: in this process, in others, on every CPython."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from typing import Any

import pytest

from harness.errors import Unsupported
from harness.simulated.guards.determinism import EPOCH_S
from harness.simulated.simulation import simulate

# What the program below must give wherever it runs; CPython 3.11 to 3.14 agreed on it.
DIGEST = "60f07ec4041fb8ea33e23b128953856a65e80072262adb93a95e03252a3bd688"

PROGRAM = """
import asyncio, random, uuid
from harness.simulated.simulation import simulate
from harness.simulated.loop.virtual_loop import running_virtual_loop

async def step(name, locks, log):
    async with locks[len(name) % 2]:
        await asyncio.sleep(random.random())
    await asyncio.to_thread(log.append, name)
    try:
        await asyncio.wait_for(asyncio.sleep(random.random()), 0.5)
    except TimeoutError:
        log.append("late " + name)
    return name

async def main():
    log = []
    loop = running_virtual_loop()
    locks = [asyncio.Lock(), asyncio.Lock()]
    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(step("x" * number, locks, log))
    tasks = {asyncio.create_task(asyncio.sleep(random.random(), n)) for n in range(12)}
    done, pending = await asyncio.wait(tasks, timeout=0.5)
    loop.note(str([task.get_name() for task in done]))
    for task in pending:
        task.cancel()
    loop.note(str([task.get_name() for task in asyncio.all_tasks()]))
    for one in asyncio.as_completed([step("y" * n, locks, log) for n in range(6)]):
        loop.note(await one)
    def serve():
        yield loop.environment.timeout(1)
        return uuid.uuid4().hex
    loop.note(await loop.future_of(loop.environment.process(serve())))
    loop.note(repr(log))

print(*(simulate(main, seed=seed).digest for seed in (1, 2, 1)))
"""


def in_a_process(hash_seed):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()


def test_a_seed_gives_one_digest_in_processes_with_other_hash_seeds():
    digests = [in_a_process(hash_seed) for hash_seed in ("0", "1", "4242")]
    assert digests[0] == digests[1] == digests[2]
    first, second, again = digests[0]
    assert first == again
    assert first != second


def test_the_digest_is_the_same_on_every_cpython():
    assert in_a_process("random")[0] == DIGEST


def value_of(main, **options):
    outcome = simulate(main, seed=options.pop("seed", 5), **options)
    assert outcome.error is None, repr(outcome.error)
    return outcome.value


def test_time_is_virtual_and_put_back():
    originals = time.time, time.monotonic, time.perf_counter, time.time_ns, time.sleep

    async def main():
        await asyncio.sleep(90)
        return (
            time.time(),
            time.monotonic(),
            time.perf_counter(),
            time.time_ns(),
            time.monotonic_ns(),
        )

    assert value_of(main) == (
        EPOCH_S + 90,
        90.0,
        90.0,
        (EPOCH_S + 90) * 10**9,
        90 * 10**9,
    )
    assert originals == (time.time, time.monotonic, time.perf_counter, time.time_ns, time.sleep)


def test_all_randomness_comes_from_the_seed():
    async def main():
        return (
            random.random(),
            random.Random().random(),
            random.SystemRandom().random(),
            secrets.token_hex(8),
            os.urandom(8),
            uuid.uuid4(),
            uuid.uuid1(),
            tempfile.mktemp(),
        )

    first, again, other = value_of(main), value_of(main), value_of(main, seed=6)
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_randomness_goes_on_outside_as_if_nothing_had_been():
    async def main():
        random.seed(1)

    random.seed(77)
    expected = random.random(), random.random()
    random.seed(77)
    first = random.random()
    value_of(main)
    assert (first, random.random()) == expected
    assert os.urandom(16) != os.urandom(16)
    assert uuid.uuid4() != uuid.uuid4()


def test_sets_of_tasks_go_by_creation():
    async def main():
        tasks = {asyncio.create_task(asyncio.sleep(1)) for _ in range(6)}
        everything = [task.get_name() for task in asyncio.all_tasks()]
        return [task.get_name() for task in tasks], everything

    tasks, everything = value_of(main)
    assert tasks == [f"task-{number}" for number in range(2, 8)]
    assert everything == [f"task-{number}" for number in range(1, 8)]


def test_all_tasks_are_a_set_that_was_filled_in_the_order_of_creation():
    async def main():
        drawn, made, seen = random.Random(5), [], []
        made.append(asyncio.current_task())
        for number in range(60):
            made.append(asyncio.create_task(asyncio.sleep(drawn.choice([1, 1, 1, 30, 90]))))
            if number % 5 == 0:
                # Tasks share places in such a set, where who came first stands first.
                seen.append((list(asyncio.all_tasks()), list({*filter(unlike_done, made)})))
                await asyncio.sleep(1.5)
        return seen

    def unlike_done(task):
        return not task.done()

    for everyone, expected in value_of(main):
        assert everyone == expected


def test_as_completed_starts_coroutines_in_their_order():
    async def main():
        started = []

        async def work(number):
            started.append(number)

        for one in asyncio.as_completed([work(number) for number in range(30)]):
            await one
        return started

    assert value_of(main) == list(range(30))


def with_socket(method, address):
    with socket.socket() as opened:
        getattr(opened, method)(address)


@pytest.mark.parametrize(
    ("call", "advice"),
    [
        (lambda: threading.Thread(target=int).start(), "asyncio.to_thread"),
        (lambda: concurrent.futures.ThreadPoolExecutor(1).submit(int), "run_in_executor"),
        (lambda: with_socket("connect", ("127.0.0.1", 1)), "simulated partner"),
        (lambda: with_socket("bind", ("127.0.0.1", 0)), "simulated partner"),
        (lambda: socket.getaddrinfo("localhost", 1), "simulated partner"),
        (lambda: subprocess.run(["true"], check=True), "SimPy process"),
        (lambda: os.system("true"), "SimPy process"),
        (lambda: os._exit(0), "raise SystemExit"),
        (lambda: os.abort(), "raise SystemExit"),  # noqa: PLW0108 - as below
        (lambda: os.execv(sys.executable, [sys.executable]), "raise SystemExit"),
        (lambda: os.execlp("true", "true"), "raise SystemExit"),
        (lambda: os.spawnv(os.P_WAIT, "/bin/true", ["true"]), "SimPy process"),
        # A lambda, because the guard is not yet there when the table is made.
        (lambda: asyncio.new_event_loop(), "await it on this one"),  # noqa: PLW0108
    ],
)
def test_the_outside_is_refused_with_advice(call, advice):
    async def main():
        call()

    error = simulate(main, seed=5).error
    assert isinstance(error, Unsupported)
    assert advice in str(error)


def test_the_outside_is_open_again_after_an_error():
    async def main():
        raise KeyError("mine")

    simulate(main, seed=5)
    time.sleep(0)
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
    assert "connect" not in vars(socket.socket)
    asyncio.new_event_loop().close()


def test_other_threads_see_the_real_world_during_a_run():
    seen, begin_s = [], time.time()
    go, gone = threading.Event(), threading.Event()

    def outside():
        go.wait()
        time.sleep(0.001)
        values: tuple[Any, ...] = time.time(), os.urandom(8)
        seen.extend(values)
        gone.set()

    thread = threading.Thread(target=outside)
    thread.start()

    async def main():
        go.set()
        gone.wait(60)
        return os.urandom(8)

    inside = value_of(main)
    thread.join()
    assert begin_s <= seen[0] <= time.time()
    assert seen[1] != inside


def test_what_is_not_strict_is_open_but_still_seeded():
    async def main():
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        return random.random(), time.time()

    assert value_of(main, strict=False) == value_of(main, strict=False)
