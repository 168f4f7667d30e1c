"""Cancellations as choices in scenarios: of operations, and of the service's own tasks."""

from __future__ import annotations

from textwrap import dedent

import pytest

from harness import explore_scenario
from harness.errors import BadInput
from harness.results.verdict import Verdict
from tests.there import there

SERVICES = '''
import asyncio
import random


class Places:
    def __init__(self):
        self._free, self._waiters = 1, []

    async def use(self, user):
        if self._free:
            self._free -= 1
        else:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
                elif self.passes_on and waiter.done() and not waiter.cancelled():
                    self._give()
                raise
        try:
            await asyncio.sleep(0.1)
        finally:
            self._give()

    passes_on = False

    def _give(self):
        while self._waiters:
            waiter = self._waiters.pop(0)
            if not waiter.done():
                waiter.set_result(None)
                return
        self._free += 1


class Mended(Places):
    passes_on = True


class Worker:
    """Asks a task of its own, which is gone for good when somebody cancels it."""

    async def __aenter__(self):
        self._queue = asyncio.Queue()
        self._task = asyncio.create_task(self._work(), name="worker")
        return self

    async def __aexit__(self, *_error):
        # To cancel a task that has failed tells asyncio that nobody wants its error.
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self):
        while True:
            answer = await self._queue.get()
            await asyncio.sleep(random.uniform(0.01, 0.02))
            if not answer.done():
                answer.set_result("yes")

    async def use(self, user):
        answer = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(answer)
        return await answer


class Careless(Worker):
    """Its task takes it ill if anybody but the service itself ends it."""

    closes = False

    async def use(self, user):
        await asyncio.sleep(0.1)

    async def __aexit__(self, *_error):
        self.closes = True
        await super().__aexit__()

    async def _work(self):
        try:
            await super()._work()
        except asyncio.CancelledError:
            if not self.closes:
                raise ValueError("who was that?") from None
            raise


class Swallowing:
    async def use(self, user):
        for _ in range(3):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue


class Sleeping:
    async def use(self, user):
        await asyncio.sleep(0.1)


class Connecting:
    async def use(self, user):
        try:
            await asyncio.open_connection("127.0.0.1", 1)
        except Exception as error:
            raise ConnectionError("no database") from error
'''

SCENARIO = """
claim = "Whoever asks is served."
system = "{module}:{system}"
users = {{ count = {users} }}
{allow}
[[phase]]
name = "rush"
[[phase.do]]
call = "use"
user = "each"

[check]
no_deadlock = {{ within_s = 30 }}
"""


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    """Write a scenario for one of the services; return its path."""
    module = f"cancelling_services_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(dedent(SERVICES))
    monkeypatch.syspath_prepend(tmp_path)

    def write(system, *, users=4, allow=""):
        path = tmp_path / f"{system.lower()}.toml"
        path.write_text(SCENARIO.format(module=module, system=system, users=users, allow=allow))
        return path

    return write


def test_a_place_that_is_lost_in_the_window_is_found_in_few_runs(scenario):
    found = explore_scenario(scenario("Places"), runs=50, cancel=True)
    assert found.verdict is Verdict.FAILED
    (failure,) = found.failures
    assert "was cancelled at" in failure.headline
    assert "while it was woken, not yet run: no_deadlock" in failure.headline
    assert failure.deviations == 1
    assert failure.token.startswith("mh3-")


def test_callers_that_the_search_cancels_are_no_failures_of_outcomes(scenario):
    found = explore_scenario(scenario("Mended"), runs=60, cancel=True)
    assert found.verdict is Verdict.PASSED, found.failures
    assert found.distinct > 1


def test_a_worker_that_is_gone_is_only_missing(scenario):
    found = explore_scenario(scenario("Worker", users=2), runs=60, cancel=True)
    assert found.verdict is Verdict.PASSED, found.failures


def test_tasks_of_the_service_itself_are_cancelled_too(scenario):
    found = explore_scenario(scenario("Careless", users=2), runs=60, cancel=True)
    assert found.verdict is Verdict.FAILED
    assert "task worker was cancelled" in found.failures[0].headline


def test_a_service_that_swallows_a_cancellation_fails_without_a_check(scenario):
    found = explore_scenario(scenario("Swallowing", users=1), runs=20, cancel=True)
    assert "the cancellation was swallowed" in found.failures[0].headline


def test_a_search_of_one_order_is_unknown_and_is_allowed_in_place(scenario):
    path = scenario("Sleeping", users=2)
    found = explore_scenario(path, runs=10)
    assert (found.verdict, found.health) == (Verdict.UNKNOWN, ("one_order",))
    assert explore_scenario(path, runs=10, allow=["one_order"]).verdict is Verdict.PASSED
    allowed = scenario("Sleeping", users=2, allow='allow = ["one_order"]')
    assert explore_scenario(allowed, runs=10).verdict is Verdict.PASSED


def test_a_file_can_allow_what_there_is(scenario):
    with pytest.raises(BadInput, match="allow"):
        explore_scenario(scenario("Sleeping", allow='allow = ["two_orders"]'), runs=1)


@pytest.mark.parametrize("cancel", [False, True])
def test_what_a_simulation_has_not_is_unknown_however_it_is_wrapped(scenario, cancel):
    found = explore_scenario(scenario("Connecting", users=1), runs=5, cancel=cancel)
    assert found.verdict is Verdict.UNKNOWN
    assert "asks for what a simulation has not" in there(found.could_not_run)
