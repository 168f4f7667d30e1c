"""Points of a client's life: gates park, trips cancel, faults strike when and whom they should."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from harness.choices.points import OPERATION, ClientDies, Interception, RunningOperation
from harness.errors import BadInput, HarnessError
from harness.history.plain_data import PlainData
from harness.history.recorder import Recorder
from harness.history.records import NodeKind, Outcome
from harness.scenario.model import Fault

ALICE = {"user": "alice", "network": "Localnet"}
BOB = {"user": "bob", "network": "Localnet"}
POINT = "spawn.before"


class SpawnBroke(Exception):
    """What the system under test raises in these tests."""


@pytest.fixture
def recorder():
    return Recorder(
        NodeKind.LIVE, plain=PlainData({}), clock=time.monotonic, note=lambda _line: None
    )


@pytest.fixture
def interception_of(recorder):
    def make(*faults):
        made = Interception(recorder, list(faults))
        made.error_named = lambda _name, message: SpawnBroke(message)
        return made

    return make


def fault(kind="fail", **others):
    return Fault.model_validate({"at": POINT, "kind": kind} | others)


def running(recorder, step="make"):
    """Begin an operation whose context the caller's task is in from now on."""
    number = recorder.begin_operation(
        step, "call", user="alice", phase="one", arguments={}, expected="success"
    )
    OPERATION.set(RunningOperation(number=number, step=step, user="alice"))
    return number


@asynccontextmanager
async def task_of(coroutine):
    task = asyncio.create_task(coroutine)
    await settle()
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def strikes(interception, *, times, key=ALICE):
    """Reach the point several times, and say at which a fault struck."""
    struck = []
    for _ in range(times):
        try:
            await interception.reach(POINT, key)
        except SpawnBroke:
            struck.append(True)
        else:
            struck.append(False)
    return struck


async def test_a_gate_holds_its_step_until_it_is_opened(recorder, interception_of):
    interception = interception_of()
    gate = interception.add_gate(POINT, step="make")
    number = running(recorder)
    async with task_of(interception.reach(POINT, ALICE)) as task:
        assert gate.reached.is_set()
        assert not task.done()
        gate.opened.set()
        await settle()
        assert task.done()
    ((parked_s, released_s),) = recorder.history().operations[number].parked
    assert parked_s < released_s


async def test_a_gate_lets_other_steps_and_other_points_pass(recorder, interception_of):
    interception = interception_of()
    gate = interception.add_gate(POINT, step="make")
    running(recorder, step="other")
    await interception.reach(POINT, ALICE)
    running(recorder, step="make")
    await interception.reach("spawn.after", ALICE)
    OPERATION.set(None)
    await interception.reach(POINT, ALICE)
    assert not gate.reached.is_set()


async def test_an_open_gate_parks_nobody(recorder, interception_of):
    interception = interception_of()
    interception.add_gate(POINT, step="make").opened.set()
    number = running(recorder)
    await interception.reach(POINT, ALICE)
    assert recorder.history().operations[number].parked == ()


async def test_one_gate_holds_all_who_come(recorder, interception_of):
    interception = interception_of()
    gate = interception.add_gate(POINT, step="make")
    running(recorder)
    reached = (interception.reach(POINT, ALICE) for _ in range(3))
    async with task_of(asyncio.wait_for(asyncio.gather(*reached), timeout=60)) as task:
        assert not task.done()
        gate.opened.set()
        await asyncio.wait_for(task, timeout=60)


async def test_who_is_cancelled_at_a_gate_was_parked(recorder, interception_of):
    interception = interception_of()
    interception.add_gate(POINT, step="make")
    number = running(recorder)
    async with task_of(interception.reach(POINT, ALICE)) as task:
        task.cancel()
        await settle()
    assert len(recorder.history().operations[number].parked) == 1


async def test_the_end_of_a_phase_opens_and_forgets_its_gates_and_trips(recorder, interception_of):
    interception = interception_of()
    interception.add_gate(POINT, step="make")
    running(recorder)
    async with task_of(interception.reach(POINT, ALICE)) as task:
        struck = []
        interception.add_trip(POINT, step="make", strike=lambda: struck.append(1))
        interception.clear()
        await settle()
        assert task.done()
    await interception.reach(POINT, ALICE)
    assert struck == []


async def test_a_context_goes_with_the_tasks_made_in_it(recorder, interception_of):
    interception = interception_of()
    gate = interception.add_gate(POINT, step="make")
    running(recorder)

    async def service():
        await asyncio.create_task(interception.reach(POINT, ALICE))

    async with task_of(service()) as task:
        assert gate.reached.is_set()
        gate.opened.set()
        await asyncio.wait_for(task, timeout=60)


async def test_a_trip_strikes_once(recorder, interception_of):
    interception = interception_of()
    struck = []
    interception.add_trip(POINT, step="make", strike=lambda: struck.append(1))
    running(recorder)
    for _ in range(3):
        await interception.reach(POINT, ALICE)
    assert struck == [1]


async def test_a_trip_that_two_reach_at_once_strikes_once(recorder, interception_of):
    interception = interception_of()
    struck = []
    for name in ("first", "second"):
        interception.add_trip(POINT, step="make", strike=lambda name=name: struck.append(name))
    running(recorder)
    await asyncio.gather(interception.reach(POINT, ALICE), interception.reach(POINT, ALICE))
    assert sorted(struck) == ["first", "second"]


async def test_a_tripped_caller_learns_of_it_before_anything_else(recorder, interception_of):
    interception = interception_of(fault())
    after = []

    async def call():
        await interception.reach(POINT, ALICE)
        after.append("went on")

    running(recorder)
    task = asyncio.create_task(call())
    interception.add_trip(POINT, step="make", strike=task.cancel)
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert after == []
    assert recorder.history().faults == ()


async def test_a_fault_strikes_as_often_as_it_says_after_those_it_skips(interception_of):
    assert await strikes(interception_of(fault()), times=3) == [True, False, False]
    assert await strikes(interception_of(fault(skip=1, times=2)), times=5) == [
        *(False, True, True, False, False),
    ]


async def test_a_fault_strikes_its_user_only_and_others_do_not_use_it_up(interception_of):
    interception = interception_of(fault(user="alice", skip=1))
    assert await strikes(interception, times=2, key=BOB) == [False, False]
    assert await strikes(interception, times=2) == [False, True]


async def test_a_fault_strikes_in_its_phase_only(interception_of):
    interception = interception_of(fault(phase="two"))
    for phase, struck in (("one", False), ("two", True), ("two", False)):
        interception.phase = phase
        assert await strikes(interception, times=1) == [struck]


async def test_a_fault_strikes_whatever_operation_is_running(recorder, interception_of):
    interception = interception_of(fault())
    running(recorder, step="any")
    assert await strikes(interception, times=1) == [True]


async def test_a_fault_raises_the_error_that_it_names(recorder):
    interception = Interception(recorder, [fault(error="SpawnFailed")])
    asked = []

    def error_named(name, message):
        asked.append((name, message))
        return SpawnBroke()

    interception.error_named = error_named
    with pytest.raises(SpawnBroke, match=r"^$"):
        await interception.reach(POINT, ALICE)
    assert asked == [("SpawnFailed", "the scenario lets spawn.before fail")]


async def test_a_system_without_named_errors_is_told_so(recorder):
    interception = Interception(recorder, [fault(error="SpawnFailed")])
    with pytest.raises(BadInput, match=r"fault\.error: the system under test names no errors"):
        await interception.reach(POINT, ALICE)


async def test_a_death_is_an_order_that_no_except_exception_catches(interception_of):
    interception = interception_of(fault("die"))
    with pytest.raises(ClientDies, match=r"^$"):
        await interception.reach(POINT, ALICE)
    assert not issubclass(ClientDies, Exception)


async def test_a_hang_never_ends_by_itself_and_can_be_cancelled(interception_of):
    interception = interception_of(fault("hang"))
    with pytest.raises(TimeoutError, match=r"^$"):
        await asyncio.wait_for(interception.reach(POINT, ALICE), timeout=0.01)


async def test_two_faults_at_one_point_strike_one_after_the_other(interception_of):
    interception = interception_of(fault("fail"), fault("die"))
    assert await strikes(interception, times=1) == [True]
    with pytest.raises(ClientDies, match=r"^$"):
        await interception.reach(POINT, ALICE)


async def test_a_fault_is_recorded_as_it_strikes(recorder, interception_of):
    await strikes(interception_of(fault(skip=1)), times=3)
    (one,) = recorder.history().faults
    assert (one.point, one.kind, one.key) == (POINT, "fail", ALICE)


async def test_a_result_is_looked_up_for_its_own_user(recorder):
    number = running(recorder)
    recorder.end_operation(number, Outcome.RETURNED, value={"accounts": [{"id": "a1"}], "no": []})
    assert recorder.result_of("make", user="alice", path="accounts.0.id") == "a1"
    with pytest.raises(BadInput, match=r"\$make: make has no result of bob yet"):
        recorder.result_of("make", user="bob", path="")
    with pytest.raises(BadInput, match=r'\$make\.accounts\.7: nothing at "7"'):
        recorder.result_of("make", user="alice", path="accounts.7")
    with pytest.raises(BadInput, match=r"the result of make is empty there"):
        recorder.result_of("make", user="alice", path="no.*")


async def test_a_step_that_failed_has_no_result_and_the_file_is_not_to_blame(recorder):
    number = running(recorder)
    recorder.end_operation(number, Outcome.RAISED, error=SpawnBroke("no"))
    with pytest.raises(HarnessError, match="make did not succeed for alice") as caught:
        recorder.result_of("make", user="alice", path="")
    assert not isinstance(caught.value, BadInput)
