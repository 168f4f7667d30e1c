"""Calls that block the loop's thread are seen with their line; those in an executor are not."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from harness.diagnosis.blocking_calls import BlockingCalls
from harness.live.loop_lag import BEAT_S, LoopLagWatch
from harness.simulated.simulation import simulate

HERE = r"tests/harness/diagnosis/test_blocking_calls\.py:\d+ in "


def read(path):
    return path.read_text(encoding="utf-8")


def ask(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("select 1")


def connect(path):
    del path
    with contextlib.closing(socket.socket()) as one, contextlib.suppress(OSError):
        one.settimeout(0.1)
        one.connect(("127.0.0.1", 9))


def start(path):
    del path
    subprocess.run([sys.executable, "-c", ""], check=True)


def sleep(path):
    del path
    time.sleep(0.001)


def on_asyncio(main):
    return asyncio.run(main())


def simulated(main):
    outcome = simulate(main, seed=1)
    assert outcome.error is None


def seen(run, main):
    with BlockingCalls(lambda: 1.5) as watch:
        run(main)
    return watch.found()


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "file.txt"
    file.write_text("", encoding="utf-8")
    return file


@pytest.mark.parametrize("run", [on_asyncio, simulated])
@pytest.mark.parametrize(("call", "events"), [
    (read, ["open"]), (ask, ["sqlite3.connect", "sqlite3.execute"]),
])  # fmt: skip
def test_a_file_and_a_database_on_the_loop_are_seen(path, run, call, events):
    async def main():
        call(path)

    found = seen(run, main)
    assert [one.what for one in found] == events
    assert all(re.fullmatch(HERE + call.__name__, one.where) for one in found)
    # A long path is cut.
    assert len(found[0].subject) > 20
    assert str(path).startswith(found[0].subject)
    assert (found[0].at_s, found[0].count) == (1.5, 1)


@pytest.mark.parametrize(
    ("call", "event"),
    [(connect, "socket.connect"), (start, "subprocess.Popen"), (sleep, "time.sleep")],
)
def test_sockets_processes_and_sleep_on_a_real_loop_are_seen(path, call, event):
    async def main():
        call(path)

    assert event in [one.what for one in seen(on_asyncio, main)]


@pytest.mark.parametrize("run", [on_asyncio, simulated])
@pytest.mark.parametrize("call", [read, ask])
def test_the_same_in_an_executor_is_not_meant(path, run, call):
    async def main():
        await asyncio.to_thread(call, path)
        await asyncio.get_running_loop().run_in_executor(None, call, path)

    assert seen(run, main) == ()


def test_a_line_that_does_it_often_is_told_once_with_its_count(path):
    async def main():
        for _ in range(7):
            read(path)

    (one,) = seen(simulated, main)
    assert one.count == 7


def test_an_import_is_not_meant(tmp_path, monkeypatch):
    (tmp_path / "imported_in_a_run.py").write_text("X = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))

    async def main():
        import imported_in_a_run  # type: ignore[import-not-found]  # noqa: PLC0415 - it is the import that is meant

        assert imported_in_a_run.X == 1

    assert seen(simulated, main) == ()


def test_processes_and_sockets_of_asyncio_itself_are_not_meant():
    async def main():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
        await process.wait()
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            await writer.wait_closed()

    assert seen(on_asyncio, main) == ()


def test_outside_of_a_loop_and_after_the_watch_nothing_is_kept(path):
    async def main():
        read(path)

    connect_before = sqlite3.connect
    with BlockingCalls(lambda: 0.0) as watch:
        read(path)
    asyncio.run(main())
    assert watch.found() == ()
    assert sqlite3.connect is connect_before


def busy():
    """Block until a thread that looks as seldom as the watch has looked often."""
    looked = threading.Event()

    def look():
        for _ in range(20):
            time.sleep(BEAT_S)
        looked.set()

    thread = threading.Thread(target=look)
    thread.start()
    while not looked.is_set():
        pass
    thread.join()


def test_a_long_turn_of_a_real_loop_is_told_with_its_line():
    async def main(watch):
        watch.attach()
        await asyncio.sleep(0.06)
        busy()
        await asyncio.sleep(0.06)

    with LoopLagWatch() as watch:
        asyncio.run(main(watch))
    # On a busy machine there may be others, of which the program knows nothing.
    (lag,) = (lag for lag in watch.lags if re.fullmatch(HERE + "busy", lag.where))
    assert lag.lag_s > 15 * BEAT_S
