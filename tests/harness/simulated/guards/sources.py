"""Sources of what may differ from process to process, one small function each.

Run as a program it gives, as JSON, what each of them came to in a run with one seed.
"""

# What other code had better not ask is what is asked here, and in the way it is asked elsewhere.
# ruff: noqa: C416, DTZ002, DTZ003, DTZ005, DTZ006, DTZ011, PLW0108, PTH123, PTH207, SIM115, SLF001

from __future__ import annotations

import _random
import asyncio
import base64
import calendar
import concurrent.futures
import contextvars
import datetime as dt
import email.utils
import enum
import gc
import glob
import io
import json
import logging
import os
import pathlib
import random
import secrets
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import weakref
from _thread import get_ident as c_get_ident
from collections import Counter
from datetime import date, datetime
from datetime import datetime as datetime_class
from functools import partial
from os import getpid, getrandom, times, urandom
from random import SystemRandom, choice
from random import random as early_random
from secrets import token_hex
from sqlite3 import connect
from ssl import RAND_bytes
from threading import current_thread, get_ident, get_native_id
from time import (
    asctime,
    clock_gettime,
    ctime,
    gmtime,
    localtime,
    monotonic,
    perf_counter_ns,
    process_time,
    sleep,
    strftime,
    thread_time,
)
from time import time as early_time
from uuid import getnode, uuid1, uuid4
from zoneinfo import ZoneInfo

from harness.errors import Unsupported
from harness.history.plain_data import PlainData
from harness.simulated.simulation import simulate

OWN = random.Random()
OWN_SEEDED = random.Random(7)
OWN_OF_C = _random.Random()
draw_of_c = random.Random().random
draw_choice = random.Random().choice
now = datetime.now
utcnow = datetime.utcnow
today = date.today


class Holder:
    rng = random.Random()


VARIABLE = contextvars.ContextVar[int]("v")


class Plain:
    """An object that hashes by its address."""


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]


async def moment():
    await asyncio.sleep(1.25)


def sql(statement):
    connection = connect(":memory:")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def default_of_a_table():
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a, at text default current_timestamp)")
    connection.execute("insert into t (a) values (1)")
    return connection.execute("select * from t").fetchall()


def read_device(name):
    with open(name, "rb") as device:
        return device.read(8)


def read_device_unbuffered():
    with open("/dev/urandom", "rb", buffering=0) as device:
        return device.read(8)


def fields_of_a_record():
    heard = []
    handler = logging.Handler()
    handler.emit = heard.append  # type: ignore[method-assign, assignment]
    log = logging.Logger("one")
    log.addHandler(handler)
    log.warning("said")
    (record,) = heard
    formatted = logging.Formatter("%(asctime)s %(process)d %(thread)d").format(record)
    return record.created, record.process, record.thread, record.threadName, formatted


def temporary_names():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
        names = [pathlib.Path(folder).name, pathlib.Path(file.name).name]
        return [*names, tempfile.mktemp(dir=folder).rpartition("/")[2]]


def listed():
    with tempfile.TemporaryDirectory() as folder:
        for word in WORDS:
            pathlib.Path(folder, word).touch()
        found = sorted(glob.glob("*", root_dir=folder))
        return found, len(list(os.scandir(folder)))


def zone_set_in_the_run():
    os.environ["TZ"] = "Asia/Tokyo"
    time.tzset()
    return time.tzname, time.strftime("%H:%M %Z"), datetime.now().hour


def in_an_executor(function):
    async def called():
        return await asyncio.get_running_loop().run_in_executor(None, function)

    return called


async def order_of_futures(make=set):
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(12)]
    return [futures.index(one) for one in make(futures)]


async def order_of_tasks():
    tasks = [asyncio.create_task(asyncio.sleep(0), name=f"t{n}") for n in range(12)]
    done, _ = await asyncio.wait(set(tasks))
    return [task.get_name() for task in done], [task.get_name() for task in frozenset(tasks)]


async def waited_for_futures():
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(9)]
    for place, future in enumerate(futures):
        loop.call_later(0.01 * place, future.set_result, place)
    done, _ = await asyncio.wait(futures)
    return [one.result() for one in done]


def slept():
    sleep(0.5)
    return early_time()


async def reprs():
    task, token = asyncio.current_task(), VARIABLE.set(1)
    future = asyncio.get_running_loop().create_future()

    def inner():
        yield

    return [
        repr(one)
        for one in (
            Plain(), inner, inner(), token, token.var, task, future, asyncio.Lock(), inner.__code__,
            weakref.ref(WORDS_SET), moment, Plain().__hash__, asyncio.get_running_loop(), Color.RED,
            sys._getframe(), io.BytesIO(), threading.current_thread(), sqlite3.connect(":memory:"),
            time.time, [].append, memoryview(b""), threading.Lock(), contextvars.copy_context(),
        )
    ]  # fmt: skip


WORDS_SET = frozenset(WORDS)


async def error_text():
    loop = asyncio.get_running_loop()
    raise LookupError(f"{Plain()} of {loop.create_future()!r} and {reprs!r}")


async def order_on_text_set():
    for word in {*WORDS}:
        await asyncio.sleep(len(word) / 100 + ord(word[0]) / 1000)
    return [word for word in {*WORDS}]


async def order_on_object_set():
    made = [Plain() for _ in range(9)]
    return [made.index(one) for one in set(made)]


async def coroutines_in_a_set():
    seen = []

    async def one(number):
        seen.append(number)

    await asyncio.gather(*{one(number) for number in range(12)})
    return seen


def late_module():
    sys.modules.pop("_ssl_late", None)
    return ssl.RAND_bytes(4)


def value(function):
    async def called():
        await moment()
        return function()

    return called


SOURCES = {
    # Clocks
    "time.time": value(lambda: time.time()),
    "time.time early": value(early_time),
    "time.time_ns": value(lambda: time.time_ns()),
    "time.monotonic": value(lambda: time.monotonic()),
    "monotonic early": value(monotonic),
    "perf_counter_ns early": value(perf_counter_ns),
    "time.perf_counter": value(lambda: time.perf_counter()),
    "process_time early": value(process_time),
    "time.process_time_ns": value(lambda: time.process_time_ns()),
    "thread_time early": value(thread_time),
    "clock_gettime early": value(lambda: clock_gettime(time.CLOCK_REALTIME)),
    "clock_gettime monotonic": value(lambda: time.clock_gettime(time.CLOCK_MONOTONIC)),
    "clock_gettime_ns": value(lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME)),
    "os.times early": value(times),
    "localtime early": value(localtime),
    "localtime of a moment": value(lambda: localtime(1e9)),
    "gmtime early": value(gmtime),
    "ctime early": value(ctime),
    "asctime early": value(asctime),
    "strftime early": value(lambda: strftime("%c %Z")),
    "time.strftime": value(lambda: time.strftime("%Y-%m-%d %H:%M:%S")),
    "time zone": value(lambda: (time.tzname, time.timezone, time.altzone, time.daylight)),
    "time zone set in the run": value(zone_set_in_the_run),
    "mktime": value(lambda: time.mktime((2026, 7, 1, 0, 0, 0, 0, 0, -1))),
    "datetime.now": value(lambda: datetime.now()),
    "datetime.now early": value(now),
    "datetime.now of a zone": value(lambda: datetime_class.now(ZoneInfo("Europe/Berlin"))),
    "datetime.now by keyword": value(lambda: now(tz=dt.UTC)),
    "datetime.utcnow": value(lambda: datetime.utcnow()),
    "datetime.utcnow early": value(utcnow),
    "datetime.today": value(lambda: datetime.today()),
    "date.today": value(lambda: date.today()),
    "date.today early": value(today),
    "astimezone": value(lambda: datetime(2026, 7, 1).astimezone().isoformat()),
    "fromtimestamp": value(lambda: datetime.fromtimestamp(1e9)),
    "email date": value(lambda: email.utils.formatdate(localtime=True)),
    "email message id": value(lambda: email.utils.make_msgid(domain="d")),
    "calendar": value(lambda: calendar.timegm(gmtime())),
    "log record": value(fields_of_a_record),
    "sleep early": value(partial(sleep, 0.01)),
    "sleep in an executor": in_an_executor(slept),
    "clocks in an executor": in_an_executor(lambda: (now(), process_time(), getpid())),
    # Chance
    "random.random": value(lambda: random.random()),
    "random early": value(early_random),
    "choice early": value(lambda: choice(WORDS)),
    "random.Random()": value(lambda: random.Random().random()),
    "a module's Random()": value(lambda: OWN.random()),
    "a module's Random().choice": value(lambda: (OWN.choice(WORDS), OWN.gauss(0, 1))),
    "a module's Random(7)": value(lambda: OWN_SEEDED.randint(0, 10**9)),
    "a module's _random": value(lambda: OWN_OF_C.random()),
    "a module's method of C": value(draw_of_c),
    "a module's method": value(lambda: draw_choice(range(10**9))),
    "a class's Random()": value(lambda: Holder.rng.random()),
    "_random.Random()": value(lambda: _random.Random().random()),
    "Random().seed()": value(lambda: seeded_anew().random()),
    "SystemRandom early": value(lambda: SystemRandom().random()),
    "shuffle": value(lambda: random.sample(WORDS, 8)),
    "os.urandom": value(lambda: os.urandom(8)),
    "urandom early": value(lambda: urandom(8)),
    "getrandom early": value(lambda: getrandom(8)),
    "getrandom nonblock": value(lambda: os.getrandom(8, os.GRND_NONBLOCK)),
    "/dev/urandom": value(lambda: read_device("/dev/urandom")),
    "/dev/random": value(lambda: read_device("/dev/random")),
    "/dev/urandom unbuffered": value(read_device_unbuffered),
    "/dev/urandom by pathlib": value(lambda: pathlib.Path("/dev/urandom").open("rb").read(8)),
    "/dev/urandom by descriptor": value(lambda: os.read(os.open("/dev/urandom", os.O_RDONLY), 8)),
    "RAND_bytes early": value(lambda: RAND_bytes(8)),
    "ssl.RAND_bytes": value(late_module),
    "token_hex early": value(lambda: token_hex(8)),
    "secrets.choice": value(lambda: secrets.choice(WORDS)),
    "secrets.randbits": value(lambda: secrets.randbits(64)),
    "uuid1 early": value(uuid1),
    "uuid4 early": value(uuid4),
    "uuid.uuid4": value(lambda: uuid.uuid4()),
    "getnode early": value(getnode),
    "tempfile names": value(temporary_names),
    "tempfile.gettempdir": value(lambda: (tempfile.gettempdir(), random.Random().random())),
    "sqlite random()": value(lambda: sql("select random(), abs(random())")),
    "sqlite randomblob": value(lambda: sql("select hex(randomblob(8))")),
    "sqlite order by random": value(
        lambda: sql("select value from json_each('[1,2,3,4,5,6,7]') order by random()")
    ),
    "sqlite current_timestamp": value(lambda: sql("select CURRENT_TIMESTAMP")),
    "sqlite current_time": value(lambda: sql("select current_time, current_date")),
    "sqlite default": value(default_of_a_table),
    "sqlite strftime": value(lambda: sql("select strftime('%s','now')")),
    "sqlite strftime of now": value(lambda: sql("select strftime('%s'), datetime(), date()")),
    "sqlite datetime": value(lambda: sql("select datetime('now', '+1 day', 'localtime')")),
    "sqlite julianday": value(lambda: sql("select julianday('NOW'), unixepoch('now')")),
    "sqlite of a moment": value(lambda: sql("select date('2026-02-28', '+1 day')")),
    # The process, its threads, the machine
    "getpid early": value(getpid),
    "os.getpid": value(lambda: os.getpid()),
    "os.getppid": value(lambda: os.getppid()),
    "kill with no signal": value(lambda: os.kill(os.getpid(), 0)),
    "get_ident early": value(lambda: (get_ident(), c_get_ident())),
    "get_native_id early": value(get_native_id),
    "threading.get_ident": value(lambda: threading.get_ident()),
    "current_thread early": value(lambda: (current_thread().ident, current_thread().native_id)),
    "main_thread": value(lambda: (threading.main_thread().ident, repr(threading.main_thread()))),
    "current frames": value(lambda: get_ident() in sys._current_frames()),
    "threads listed": value(lambda: [one.name for one in threading.enumerate()]),
    "hostname": value(socket.gethostname),
    "cpu_count": value(os.cpu_count),
    "names of pools": value(lambda: concurrent.futures.ThreadPoolExecutor()._thread_name_prefix),
    "names of threads": value(lambda: threading.Thread(target=int).name),
    "files listed": value(listed),
    # Orders
    "hash of a number": value(lambda: hash(10**20)),
    "futures in a set": order_of_futures,
    "futures in a frozenset": lambda: order_of_futures(frozenset),
    "futures in a weak set": lambda: order_of_futures(weakref.WeakSet),
    "tasks in sets": order_of_tasks,
    "futures waited for": waited_for_futures,
    "all_tasks": value(lambda: [task.get_name() for task in asyncio.all_tasks()]),
    "collected garbage": value(gc.collect),
    "counter of words": value(lambda: Counter("".join(WORDS)).most_common(3)),
    "a set as a result": value(lambda: {*WORDS}),
    "encoded": value(lambda: base64.b64encode(json.dumps(sorted({*WORDS})).encode())),
    "reprs": reprs,
    "error text": error_text,
    # Refused
    "thread": value(lambda: threading.Thread(target=int).start()),
    "thread of C": value(lambda: threading._start_new_thread(int, ())),  # type: ignore[attr-defined]
    "timer": value(lambda: threading.Timer(1, int).start()),
    "subprocess": value(lambda: subprocess.run(["true"], check=True)),
    "os.popen": value(lambda: os.popen("true")),
    "fork": value(lambda: os.fork()),
    "os.system": value(lambda: os.system("true")),
    "getaddrinfo": value(lambda: socket.getaddrinfo("localhost", 80)),
    "second loop": value(lambda: asyncio.new_event_loop()),
}


def seeded_anew():
    generator = random.Random(3)
    generator.seed()
    return generator


# What hangs on addresses or on how texts are hashed: CPython offers no way to it.
TOLD = {
    "texts in a set": order_on_text_set,
    "objects in a set": order_on_object_set,
    "objects in a weak set": value(lambda: order_of_weak()),
    "hash of a text": value(lambda: hash("text")),
    "hash of bytes": value(lambda: hash(b"bytes")),
    "hash of an object": value(lambda: hash(Plain())),
    "id": value(lambda: id(Plain())),
    "enum members in a set": value(lambda: [one.name for one in {*Color}]),
    "dates in a set": value(lambda: [str(one) for one in {date(2026, 1, n) for n in range(1, 9)}]),
    "dumped set": value(lambda: json.dumps(list({*WORDS}))),
    "paths in a set": value(lambda: [str(one) for one in {pathlib.Path(one) for one in WORDS}]),
    "coroutines in a set": coroutines_in_a_set,
    "time of a file": value(lambda: written_at()),
    "usage of the machine": value(lambda: usage()),
}


def order_of_weak():
    made = [Plain() for _ in range(9)]
    return [made.index(one) for one in weakref.WeakSet(made)]


def written_at():
    with tempfile.NamedTemporaryFile() as file:
        return pathlib.Path(file.name).stat().st_mtime_ns


def usage():
    import resource  # noqa: PLC0415 - not everywhere

    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def operation(source):
    async def told(self):
        return await source()

    return told


# The same as operations of a service, for what compares scenarios.
Told = type("Told", (), {f"told_{n}": operation(source) for n, source in enumerate(TOLD.values())})


def outcome(source):
    ended = simulate(source, seed=5)
    if isinstance(ended.error, Unsupported):
        return "refused"
    told = PlainData({}).of(ended.value if ended.error is None else ended.error)
    return [told, ended.digest, ended.schedule_digest]


def came_to(names):
    both = {**SOURCES, **TOLD}
    return {name: outcome(both[name]) for name in names}


if __name__ == "__main__":
    begin_at, names = float(sys.argv[1]), json.loads(sys.argv[2])
    sleep(max(0.0, begin_at - early_time()))
    print(json.dumps(came_to(names)))
