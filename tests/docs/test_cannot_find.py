"""The page "What the harness cannot find": each of its statements, tried."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import datetime as dt
import itertools
import random
import re
import signal
import socket
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import anyio.to_thread
import fastapi
import httpx
import pytest

from harness import (
    Deadlock,
    FailureFound,
    HealthCheckFailed,
    NotDeterministic,
    Unsupported,
    Verdict,
    explore,
    simulate,
    verify,
)

PAGE = Path(__file__).parents[2] / "docs/cannot-find.md"


def test_functions_in_threads_run_whole_and_alone():
    total = 0

    def bump():
        nonlocal total
        before = total
        time.sleep(0.01)
        total = before + 1

    async def main():
        nonlocal total
        total = 0
        await asyncio.gather(*(asyncio.to_thread(bump) for _ in range(3)))
        assert total == 3

    assert explore(main, runs=100, adversarial=True).verdict is Verdict.PASSED


async def starts_a_thread():
    threading.Thread(target=print).start()


async def uses_anyios_threads():
    await anyio.to_thread.run_sync(print)


async def asks_for_a_plain_endpoint():
    app = fastapi.FastAPI()
    app.get("/")(lambda: None)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        await client.get("/")


async def connects():
    await asyncio.open_connection("127.0.0.1", 1)


async def serves():
    await asyncio.start_server(print, "127.0.0.1", 0)


async def looks_a_name_up():
    socket.getaddrinfo("localhost", 80)


async def sends_a_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"", ("127.0.0.1", 9))


async def starts_a_process():
    await asyncio.create_subprocess_exec("true")


async def handles_a_signal():
    asyncio.get_running_loop().add_signal_handler(15, print)


async def waits_for_a_signal():
    signal.pause()


async def takes_the_refusal():
    with contextlib.suppress(Unsupported):
        await connects()


async def makes_its_own_of_the_refusal():
    try:
        await connects()
    except Unsupported as error:
        raise ValueError from error


async def uses_a_pool_of_processes():
    with ProcessPoolExecutor(1) as pool:
        await asyncio.get_running_loop().run_in_executor(pool, abs, 1)


async def makes_a_loop():
    asyncio.new_event_loop()


async def sleeps_on_the_loop():
    time.sleep(0.1)  # noqa: ASYNC251 - that is what is tried


@pytest.mark.parametrize(
    "main",
    [
        starts_a_thread,
        uses_anyios_threads,
        asks_for_a_plain_endpoint,
        connects,
        serves,
        looks_a_name_up,
        sends_a_datagram,
        starts_a_process,
        handles_a_signal,
        waits_for_a_signal,
        takes_the_refusal,
        makes_its_own_of_the_refusal,
        uses_a_pool_of_processes,
        makes_a_loop,
    ],
)
def test_what_a_simulation_has_not_is_refused(main):
    for asks in (simulate, verify):
        with pytest.raises(Unsupported, match="not available inside a simulation"):
            asks(main)


def test_a_sleep_that_blocks_the_loop_is_a_failure_with_its_line():
    with pytest.raises(FailureFound, match=r"test_cannot_find\.py:\d+ .* blocks the event loop"):
        simulate(sleeps_on_the_loop)


def test_neither_computing_nor_a_c_library_takes_virtual_time():
    async def main():
        before = time.monotonic()
        async with asyncio.timeout(0.000_1):
            sum(range(1_000_000))
            ctypes.CDLL(None).usleep(1_000)
            await asyncio.sleep(0)
        return time.monotonic() - before

    assert simulate(main) == 0


def test_a_sleep_in_a_thread_takes_virtual_time():
    async def main():
        before = time.monotonic()
        await asyncio.to_thread(time.sleep, 86_400)
        return time.monotonic() - before

    assert simulate(main) == pytest.approx(86_400, abs=1)


def test_files_are_real(tmp_path):
    async def main():
        (tmp_path / "one").write_text("1", encoding="utf-8")

    simulate(main)
    assert (tmp_path / "one").read_text(encoding="utf-8") == "1"


def test_the_date_is_virtual_too():
    async def main():
        await asyncio.sleep(90)
        return dt.datetime.now(tz=dt.UTC).timestamp(), time.time()

    date_s, time_s = simulate(main)
    assert date_s == time_s


def test_what_one_run_leaves_to_the_next_is_told():
    left = []

    async def main():
        await asyncio.sleep(len(left))
        left.append(1)

    with pytest.raises(NotDeterministic, match="state left over from the first run"):
        verify(main)


@pytest.mark.parametrize("delays_s", [(0, 0), (0.1, 0.100_1)], ids=["ready", "timers"])
def test_only_adversarial_orders_leave_those_of_asyncio(delays_s):
    async def main():
        seen = []

        async def one(number):
            await asyncio.sleep(delays_s[number])
            seen.append(number)

        await asyncio.gather(one(0), one(1))
        assert seen == [0, 1]

    assert explore(main, runs=100, allow=["one_order"]).verdict is Verdict.PASSED
    with pytest.raises(FailureFound, match="adversarial only"):
        explore(main, runs=100, adversarial=True)


def test_a_seldom_failure_may_pass():
    async def main():
        assert random.random() > 1 / 2_000

    found = explore(main, runs=500, allow=["one_order"])
    assert found.verdict is Verdict.PASSED
    assert (1 - 1 / 2_000) ** 500 > 0.5
    (told,) = found.bounds_text
    assert f"{1 - 0.05 ** (1 / 500):.2%}" in told
    assert "0.60 %" in PAGE.read_text(encoding="utf-8")


async def two_sleeps(first_s, second_s):
    seen = []

    async def one(number, seconds):
        await asyncio.sleep(seconds)
        seen.append(number)

    await asyncio.gather(one(1, first_s), one(2, second_s))
    return seen


def test_where_nothing_varies_all_runs_are_one_order():
    async def main():
        await two_sleeps(0.1, 0.1)

    with pytest.raises(HealthCheckFailed, match="one_order"):
        explore(main, runs=50)
    assert explore(main, runs=50, allow=["one_order"]).distinct == 1


def test_a_proof_is_one_of_the_latencies_that_its_seed_gave():
    async def main():
        seen = await two_sleeps(random.uniform(0, 1), random.uniform(0, 1))
        assert seen == simulate_seen

    async def order():
        return await two_sleeps(random.uniform(0, 1), random.uniform(0, 1))

    simulate_seen = simulate(order)
    assert explore(main, strategy="exhaustive").proven
    with pytest.raises(FailureFound):
        explore(main, runs=50)


def test_a_program_that_never_ends_is_ended_where_it_has_a_limit():
    async def main():
        for seconds in itertools.repeat(1):
            await asyncio.sleep(seconds)

    with pytest.raises(Deadlock, match="seed 0"):
        simulate(main, time_limit_s=3_600)


def test_every_refusal_that_the_page_quotes_is_one():
    quoted = re.findall(r"`([^`]*not available inside a simulation)`", PAGE.read_text("utf-8"))
    assert quoted
    for text in quoted:
        with pytest.raises(Unsupported, match=re.escape(text)):
            simulate(starts_a_thread)
