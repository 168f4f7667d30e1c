"""Claims about the two cores of the virtual loop: one behaviour, and a clear choice."""

from __future__ import annotations

import asyncio
import gc
import heapq
import json
import os
import random
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from harness.simulated.loop import core
from harness.simulated.loop.plain_core import PlainCore
from harness.simulated.loop.virtual_loop import VirtualLoop, running_virtual_loop
from harness.simulated.simulation import simulate
from tests.repository.check_archives import can_compile

# It is asked once, when its module is imported, and leaves only what it chose.
compiled = core._compiled  # noqa: SLF001

PROGRAMS = Path(__file__).with_name("core_programs.py")
PARITY_PROGRAMS = 300


def programs(first, count, *, plain):
    """Run the drawn programs in a process of its own with one core; return what it printed."""
    done = subprocess.run(
        [sys.executable, str(PROGRAMS), str(first), str(count)],
        env={**os.environ, "HARNESS_PURE_PYTHON": "1" if plain else "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_core_is_compiled_wherever_there_is_a_compiler():
    found = programs(0, 0, plain=False)["core"]
    assert found == "compiled" or not can_compile(), found


def test_both_cores_do_the_same_to_the_last_entry_of_the_trace():
    compiled, plain = (programs(0, PARITY_PROGRAMS, plain=one) for one in (False, True))
    assert plain["core"].startswith("plain Python")
    assert len(compiled["outcomes"]) == PARITY_PROGRAMS
    for seed, pair in enumerate(zip(compiled["outcomes"], plain["outcomes"], strict=True)):
        assert pair[0] == pair[1], seed
    # The programs are no two alike, and do end.
    assert len({outcome[0] for outcome in plain["outcomes"]}) == PARITY_PROGRAMS
    assert {outcome[6] for outcome in plain["outcomes"]} == {"STOPPED"}


def test_the_queue_lies_as_heapq_would_have_it_lie():
    draw = random.Random(5)
    delays = [draw.choice([0, 0.5, 1, draw.random()]) for _ in range(1_000)]

    async def main():
        loop = running_virtual_loop()
        loop.time()
        for delay in delays:
            loop.call_later(delay, int)
        laid = [(entry[0], entry[2]) for entry in loop.environment.queue]
        await asyncio.sleep(0.25)
        return laid, [(entry[0], entry[2]) for entry in loop.environment.queue]

    expected = []
    laid, later = simulate(main, seed=1).value
    first = min(number for _, number in laid)
    for number, delay in enumerate(delays):
        heapq.heappush(expected, (float(delay), first + number))
    assert laid == expected
    heapq.heappush(expected, (0.25, first + len(delays)))
    while expected[0][0] <= 0.25:
        heapq.heappop(expected)
    assert later == expected


def test_the_environment_variable_chooses_the_plain_core(monkeypatch):
    monkeypatch.setenv("HARNESS_PURE_PYTHON", "1")
    assert compiled() == (None, "plain Python (HARNESS_PURE_PYTHON is set)")
    monkeypatch.setenv("HARNESS_PURE_PYTHON", "0")
    assert "HARNESS_PURE_PYTHON" not in compiled()[1]


def test_a_missing_compiled_core_is_told_and_costs_nothing_but_speed(monkeypatch):
    monkeypatch.delenv("HARNESS_PURE_PYTHON", raising=False)
    monkeypatch.setitem(sys.modules, "harness.simulated.loop._speedups", None)
    found, words = compiled()
    assert found is None
    assert words.startswith("plain Python (the compiled core: ")


def test_a_compiled_core_that_is_older_than_its_source_is_not_used(monkeypatch, tmp_path):
    class Built:
        SOURCE = "of another text"

    monkeypatch.delenv("HARNESS_PURE_PYTHON", raising=False)
    monkeypatch.setattr(core, "import_module", lambda _: Built)
    monkeypatch.setattr(core, "_SOURCE", tmp_path / "_speedups.pyx")
    assert compiled() == (Built, "compiled")
    (tmp_path / "_speedups.pyx").write_text("changed since")
    with pytest.warns(RuntimeWarning, match=r"older than _speedups.*install.* again"):
        assert compiled()[0] is None


def test_a_loop_that_was_closed_is_freed_with_all_that_was_ready():
    class Witness:
        def __call__(self):
            raise AssertionError("it must not run")

    loop = VirtualLoop()
    witness = Witness()
    loop.call_soon(witness)
    loop.call_later(1, witness)
    gone: list[weakref.ref[Any]] = [weakref.ref(loop), weakref.ref(witness)]
    del witness
    loop.close()
    del loop
    gc.collect()
    assert [one() for one in gone] == [None, None]


def test_a_loop_that_was_dropped_unclosed_is_freed_too():
    loop = VirtualLoop()
    loop.call_soon(loop.stop)
    gone = weakref.ref(loop)
    del loop
    gc.collect()
    assert gone() is None


def test_more_handles_than_a_queue_first_holds_keep_their_order():
    loop = VirtualLoop()
    seen = []

    def burst(size):
        for number in range(size):
            loop.call_soon(seen.append, (size, number))

    # The ring's head moves before it grows.
    for size in (3, 50, 70, 200, 5, 1_000):
        loop.call_soon(burst, size)
    loop.call_later(1, loop.stop)
    loop.run_forever()
    assert seen == [(size, n) for size in (3, 50, 70, 200, 5, 1_000) for n in range(size)]
    loop.close()


def test_what_is_ready_can_be_listed():
    loop = VirtualLoop()
    handles = [loop.call_soon(int, number) for number in range(100)]
    ready = loop._ready  # noqa: SLF001 - asyncio's own name, by which debuggers look at a loop
    assert len(ready) == 100
    assert list(ready) == handles
    loop.close()
    assert not ready


@pytest.mark.skipif(not can_compile(), reason="there is no C compiler: nothing is compiled")
def test_the_compiled_core_refuses_what_it_cannot_run():
    code = (
        "from harness.simulated.loop.virtual_loop import VirtualLoop\n"
        "loop = VirtualLoop()\n"
        "for call in (lambda: loop.call_soon(), lambda: loop.call_later(1),\n"
        "             lambda: loop.call_later('soon', print), lambda: loop._ready.append(1)):\n"
        "    try: call()\n"
        "    except TypeError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HARNESS_PURE_PYTHON": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "call_soon() missing 1 required positional argument: 'callback'"
    assert lines[1] == "call_later() missing 1 required positional argument: 'callback'"
    assert len(lines) == 4, lines


def test_what_is_no_context_is_an_error_of_that_callback_and_no_other():
    loop = VirtualLoop()
    seen = []
    loop.call_soon(seen.append, "not in that", context="a context")  # type: ignore[arg-type]
    loop.call_soon(seen.append, "the next")
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert seen == ["the next"]
    assert "no attribute 'get'" in loop.unhandled[0]
    loop.close()


def test_both_cores_have_the_same_surface():
    loop = VirtualLoop()
    core_of_loop = loop._core  # noqa: SLF001 - nobody but the loop has its core
    ours = {name for name in dir(core_of_loop) if not name.startswith("_")}
    plain = {"call_later", "call_soon", "create_future", "ready", "turn"}
    assert ours - {"append", "clear"} == plain
    assert plain == {
        name for name in dir(PlainCore(loop, loop.environment)) if not name.startswith("_")
    }
    loop.close()
