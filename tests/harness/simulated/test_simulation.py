"""Claims about a simulated run as a whole: its outcome, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import itertools
from contextvars import Context
from functools import partial

import pytest

from harness.errors import BadInput, FailureFound, NotDeterministic, Unsupported
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.trace import Trace, first_difference
from harness.simulated.loop.virtual_loop import running_virtual_loop
from harness.simulated.simulation import assert_deterministic, run, simulate
from tests.there import there


async def nothing():
    return None


def test_the_outcome_tells_value_time_and_steps():
    async def main():
        await asyncio.sleep(2)
        return "value"

    outcome = simulate(main, seed=9)
    assert (outcome.seed, outcome.value, outcome.error) == (9, "value", None)
    assert (outcome.virtual_s, outcome.pause, outcome.diagnosis) == (2.0, Pause.STOPPED, None)
    assert outcome.steps >= 3
    assert len(outcome.digest) == len(outcome.schedule_digest) == 64


def test_an_error_is_part_of_the_outcome_and_not_raised():
    async def main():
        raise KeyError("mine")

    outcome = simulate(main, seed=9)
    assert isinstance(outcome.error, KeyError)
    assert outcome.value is None
    assert outcome.diagnosis is None


def test_run_raises_the_error_and_returns_the_value():
    async def fail():
        raise KeyError("mine")

    async def succeed():
        return 3

    assert run(succeed, seed=9) == 3
    with pytest.raises(KeyError, match="mine"):
        run(fail, seed=9)


def test_unhandled_errors_are_collected_and_raised_by_run():
    async def main():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    outcome = simulate(main, seed=9)
    assert outcome.unhandled == ("Exception in callback: ZeroDivisionError('division by zero')",)
    with pytest.raises(FailureFound, match=r"(?s)1 error that nobody took:.*division by zero"):
        run(main, seed=9)


def test_an_error_of_the_program_brings_those_that_nobody_took():
    async def main():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        run(main, seed=9)
    assert "division by zero" in caught.value.__notes__[0]


def test_left_over_tasks_are_cancelled_and_their_errors_told():
    ends = []

    async def leave(error):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            ends.append(error)
            if error is not None:
                raise error from None
            raise

    async def main():
        for error in (None, KeyError("late")):
            asyncio.create_task(leave(error))  # noqa: RUF006 - the run cancels it
        await asyncio.sleep(1)

    outcome = simulate(main, seed=9)
    assert len(ends) == 2
    assert outcome.virtual_s == 1.0
    assert [one for one in outcome.unhandled if "KeyError('late')" in one]


def test_a_bad_seed_is_refused():
    with pytest.raises(BadInput, match="seed must be from 0 to"):
        simulate(nothing, seed=-1)


def test_a_run_inside_a_running_loop_is_refused():
    async def main():
        simulate(nothing, seed=9)

    with pytest.raises(Unsupported, match="inside a running event loop"):
        asyncio.run(main())
    assert isinstance(simulate(main, seed=9).error, Unsupported)


def test_a_run_inside_an_executors_call_is_refused():
    async def main():
        await asyncio.to_thread(simulate, nothing, seed=9)

    error = simulate(main, seed=9).error
    assert isinstance(error, Unsupported)
    assert "simulate() inside simulate()" in str(error)


def test_garbage_collection_is_as_it_was():
    async def main():
        return gc.isenabled()

    assert gc.isenabled()
    assert simulate(main, seed=9).value is False
    assert gc.isenabled()


def test_locks_held_over_time_are_recorded():
    async def main():
        lock = asyncio.Lock()
        async with lock:
            await asyncio.sleep(3)
        async with lock:
            pass

    (hold,) = simulate(main, seed=9).lock_holds
    assert (hold.begin_s, hold.end_s, hold.task) == (0.0, 3.0, "task-1")


def test_notes_change_the_digest():
    async def noting(text):
        running_virtual_loop().note(text)

    digests = {simulate(partial(noting, text), seed=9).digest for text in ("a", "b", "a")}
    assert len(digests) == 2


def test_the_order_of_wake_ups_changes_the_digest():
    async def main(delays):
        await asyncio.gather(*(asyncio.sleep(delay) for delay in delays))

    one, other = (simulate(partial(main, d), seed=9).digest for d in ((1, 2), (2, 1)))
    assert one != other


def test_the_length_of_a_wait_changes_the_digest():
    one, other = (simulate(partial(asyncio.sleep, d), seed=9).digest for d in (1.0, 1.0000001))
    assert one != other


def test_the_schedule_digest_sees_what_the_portable_one_leaves_out():
    async def main(passes):
        for _ in range(passes):
            await asyncio.sleep(0)

    one, other = (simulate(partial(main, n), seed=9) for n in (1, 2))
    assert one.digest == other.digest
    assert one.schedule_digest != other.schedule_digest


def test_a_sound_program_is_found_deterministic():
    async def main():
        rng = running_virtual_loop().randomness.stream("mine")
        await asyncio.gather(*(asyncio.sleep(rng.random()) for _ in range(20)))
        return "ended"

    assert assert_deterministic(main, seed=9).value == "ended"


def test_state_left_from_the_first_run_is_found_and_shown():
    runs = itertools.count(1)

    async def main():
        await asyncio.sleep(1)
        await asyncio.sleep(next(runs))

    with pytest.raises(NotDeterministic, match=r"at 2\.0 s: wake task-1 \| at 3\.0 s: wake task-1"):
        assert_deterministic(main, seed=9)


def test_a_trace_reads_as_what_happened():
    async def main():
        loop = running_virtual_loop()
        await asyncio.sleep(1)
        loop.note("between")
        await asyncio.create_task(asyncio.sleep(1), name="named")

    trace = Trace(keep=True)
    simulate(main, seed=9, trace=trace)
    assert trace.entries() == [
        "at 1.0 s: wake task-1",
        "note between",
        "at 2.0 s: wake named",
        "note ended at 2.0 s: returned",
    ]
    assert trace.step_entries()[0] == "callback of task-1"


def test_a_task_in_an_empty_context_is_traced_by_its_name():
    async def main():
        await asyncio.create_task(asyncio.sleep(1), name="named", context=Context())

    trace = Trace(keep=True)
    simulate(main, seed=9, trace=trace)
    assert trace.entries()[0] == "at 1.0 s: wake named"


def test_a_trace_that_goes_on_differs_where_the_other_ended():
    one, other = Trace(keep=True), Trace(keep=True)
    one.note("same")
    other.note("same")
    assert first_difference(one, other) is None
    other.note("more")
    difference = there(first_difference(one, other))
    assert (difference.index, difference.first, difference.second) == (1, None, "note more")
    assert str(difference) == "entry 1: (the trace had ended) | note more"


def test_traces_that_were_not_kept_cannot_be_compared():
    with pytest.raises(ValueError, match="keep=True"):
        first_difference(Trace(), Trace(keep=True))
