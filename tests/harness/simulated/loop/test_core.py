"""Claims about the two cores of the virtual loop: one behaviour, and a clear choice."""

from __future__ import annotations

import asyncio
import functools
import gc
import hashlib
import heapq
import importlib
import json
import os
import random
import subprocess
import sys
import traceback
import weakref
from pathlib import Path
from typing import ClassVar

import pytest

from harness.simulated.loop import core, turning
from harness.simulated.loop.virtual_loop import VirtualLoop, running_virtual_loop
from harness.simulated.simulation import simulate
from tests.repository.check_archives import can_compile

PROGRAMS = Path(__file__).with_name("core_programs.py")
PARITY_PROGRAMS = 120


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


@pytest.fixture
def unchosen(monkeypatch):
    """A process that has not chosen its core yet; the choice of this one is not touched."""
    monkeypatch.delenv("HARNESS_PURE_PYTHON", raising=False)
    monkeypatch.setattr(core, "chosen", functools.cache(core.chosen.__wrapped__))


@pytest.mark.usefixtures("unchosen")
def test_the_environment_variable_is_read_when_a_core_is_first_needed(monkeypatch):
    monkeypatch.setenv("HARNESS_PURE_PYTHON", "1")
    assert core.the_core() is turning
    assert core.core_name() == "plain Python (HARNESS_PURE_PYTHON is set)"
    # From then on it counts for the process.
    monkeypatch.setenv("HARNESS_PURE_PYTHON", "0")
    assert core.the_core() is turning


@pytest.mark.usefixtures("unchosen")
def test_zero_in_the_environment_variable_is_no_choice(monkeypatch):
    monkeypatch.setenv("HARNESS_PURE_PYTHON", "0")
    assert "HARNESS_PURE_PYTHON" not in core.core_name()


@pytest.mark.usefixtures("unchosen")
def test_a_missing_compiled_core_is_told_and_costs_nothing_but_speed(monkeypatch):
    monkeypatch.setitem(sys.modules, "harness.simulated.loop._speedups", None)
    assert core.the_core() is turning
    assert core.core_name().startswith("plain Python (the compiled core: ")


@pytest.mark.parametrize("changed", [None, "turning.py", "turning.pxd"])
@pytest.mark.usefixtures("unchosen")
def test_a_compiled_core_that_is_older_than_its_source_is_not_used(monkeypatch, tmp_path, changed):
    class Built:
        SOURCES: ClassVar = {
            name: hashlib.sha256(name.encode()).hexdigest()
            for name in ("turning.py", "turning.pxd", "primitives.pxd")
        }

    monkeypatch.setattr(core, "import_module", lambda _: Built)
    monkeypatch.setattr(core, "_FOLDER", tmp_path)
    # An installed package has not all of them.
    for name in ("turning.py", "turning.pxd"):
        (tmp_path / name).write_text("changed since" if name == changed else name)
    if changed is None:
        assert core.the_core() is Built
        assert core.core_name() == "compiled"
    else:
        with pytest.warns(RuntimeWarning, match=rf"older than {changed}, .*install.* again"):
            assert core.the_core() is turning


def test_a_loop_that_was_closed_is_freed_with_all_that_was_ready():
    class Witness:
        def __call__(self):
            raise AssertionError("it must not run")

    loop = VirtualLoop()
    witness = Witness()
    loop.call_soon(witness)
    loop.call_later(1, witness)
    gone = [weakref.ref(loop), weakref.ref(witness)]
    del witness
    loop.close()
    del loop
    gc.collect()
    assert [one() for one in gone] == [None, None]  # type: ignore[operator]


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

    # The queue's head moves before it grows.
    for size in (3, 50, 70, 200, 5, 1_000):
        loop.call_soon(burst, size)
    loop.call_later(1, loop.stop)
    loop.run_forever()
    assert seen == [(size, n) for size in (3, 50, 70, 200, 5, 1_000) for n in range(size)]
    loop.close()


def test_what_is_ready_can_be_listed():
    loop = VirtualLoop()
    handles = [loop.call_soon(int, number) for number in range(100)]
    assert len(loop.ready) == 100
    assert list(loop.ready) == handles
    loop.close()
    assert not loop.ready


def test_a_core_refuses_what_it_cannot_run():
    loop = VirtualLoop()
    calls = loop.__dict__
    with pytest.raises(TypeError, match=r"call_soon\(\) missing 1 required positional argument"):
        calls["call_soon"]()
    with pytest.raises(TypeError, match=r"call_soon\(\) got an unexpected keyword argument"):
        calls["call_soon"](print, other=1)
    with pytest.raises(TypeError, match=r"call_later\(\) missing 1 required positional argument"):
        calls["call_later"](1)
    with pytest.raises(TypeError):
        calls["call_later"]("soon", print)
    loop.close()


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


@pytest.mark.skipif(not can_compile(), reason="there is no C compiler: nothing is compiled")
@pytest.mark.parametrize("name", turning.__all__)
def test_what_the_plain_core_offers_the_compiled_one_offers_too(name):
    compiled = importlib.import_module("harness.simulated.loop._speedups")
    ours, plain = getattr(compiled, name), getattr(turning, name)
    assert isinstance(ours, type) == isinstance(plain, type)
    if isinstance(plain, type):
        # What only the core itself uses has no name in the compiled one.
        own = {one for one in vars(plain).get("__slots__", ()) if one in turning.Core.__slots__}
        assert public(plain) - own <= public(ours) <= public(plain)
    elif not callable(plain):
        assert ours == plain


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_a_failed_callback_is_shown_with_the_text_of_the_core_it_ran_in():
    shown = []
    loop = VirtualLoop()
    loop.set_exception_handler(lambda _, context: shown.append(context["exception"]))
    loop.call_soon(int, "no number")
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    frames = traceback.extract_tb(shown[0].__traceback__)
    assert {Path(frame.filename).name for frame in frames} <= {"turning.py", "primitives.pxd"}
