"""A phase may close the system while its steps are under way; the next phase finds it open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'claim = "It closes."\nusers = ["alice", "bob"]\n'
ASKS = '[[phase.do]]\ncall = "ask"\nuser = "alice"\n'
LATE = (
    '[[phase.do]]\nid = "late"\ncall = "ask"\nuser = "bob"\n'
    'start = {{ after = "ask", when = "begins", delay_ms = {} }}\n'
)
AGAIN = '[[phase]]\nname = "two"\n[[phase.do]]\nid = "again"\ncall = "ask"\nuser = "bob"\n'


def closing(close, *steps, check=""):
    phase = f'[[phase]]\nname = "one"\nclose = {close}\n'
    limit = "no_deadlock = { within_s = 5 }\n"
    return HEAD + phase + ASKS + "".join(steps) + AGAIN + f"[check]\n{limit}{check}"


class Doors:
    """Notes in its folder what happens, and closes at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.is_open = False

    def note(self, what: str) -> None:
        count = len(list(self.directory.iterdir()))
        (self.directory / f"{count} {what}").touch()

    async def __aenter__(self) -> None:
        self.is_open = True
        self.note("opened")

    async def __aexit__(self, *_error: object) -> None:
        self.is_open = False
        self.note("closed")

    async def ask(self, user: str) -> list[str]:
        if not self.is_open:
            raise LookupError("closed")
        await asyncio.sleep(1)
        return sorted(one.name for one in self.directory.iterdir())


class WaitsForItsCalls(Doors):
    """Closes when its calls have ended."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.calls: set[asyncio.Task[None]] = set()

    async def __aexit__(self, *error: object) -> None:
        if self.calls:
            await asyncio.wait(self.calls)
        await super().__aexit__(*error)

    async def ask(self, user: str) -> list[str]:
        told: list[str] = []

        async def told_later() -> None:
            told.extend(await Doors.ask(self, user))

        call = asyncio.create_task(told_later(), name=f"call of {user}")
        self.calls.add(call)
        call.add_done_callback(self.calls.discard)
        await call
        return told


class EndsBeforeItsCalls(WaitsForItsCalls):
    """Closes at once; its calls go on in tasks of their own, and end with their callers."""

    async def __aexit__(self, *error: object) -> None:
        await Doors.__aexit__(self, *error)


class LeavesATask(Doors):
    """Leaves a task behind that nobody awaits."""

    async def __aexit__(self, *error: object) -> None:
        self.kept = asyncio.create_task(asyncio.sleep(3_600), name="kept")
        await super().__aexit__(*error)


class CannotClose(Doors):
    async def __aexit__(self, *error: object) -> None:
        raise RuntimeError("cannot close")


class StuckInItsClose(Doors):
    async def __aexit__(self, *error: object) -> None:
        await asyncio.Event().wait()


def times(result):
    return [(one.step, one.begin_s, one.end_s) for one in result.history.operations]


def value(result, step):
    (told,) = [one.value for one in result.history.operations if one.step == step]
    return told


@pytest.mark.parametrize(
    ("close", "seen"),
    [
        ('{ after = "ask", when = "begins" }', ["0 opened", "1 closed"]),
        ('{ after = "ask", delay_ms = 500 }', ["0 opened", "1 closed"]),
        ('{ after = "late", when = "ends" }', ["0 opened"]),
        ("{ delay_ms = 2500 }", ["0 opened"]),
    ],
)
def test_the_system_is_closed_at_its_moment_and_open_in_the_next_phase(ran, close, seen):
    result = ran(Doors, closing(close, LATE.format(100) + 'expect = "any"\n'))
    assert value(result, "ask") == seen
    assert value(result, "again") == ["0 opened", "1 closed", "2 opened"]
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_what_begins_after_the_close_meets_a_closed_system(ran):
    late = LATE.format(600) + 'expect = "LookupError"\n'
    result = ran(Doors, closing('{ after = "ask", when = "begins", delay_ms = 500 }', late))
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_the_phase_lasts_until_its_steps_and_the_close_have_ended(ran):
    result = ran(WaitsForItsCalls, closing('{ after = "ask", when = "begins" }'))
    assert times(result) == [("ask", 0.0, 1.0), ("again", 1.0, 2.0)]
    assert value(result, "ask") == ["0 opened"]
    assert result.verdict is Verdict.PASSED, render_result(result)


def test_a_call_under_way_at_the_end_of_the_close_has_left_nothing(ran):
    result = ran(EndsBeforeItsCalls, closing('{ after = "ask", delay_ms = 500 }'))
    assert value(result, "ask") == ["0 opened", "1 closed"]
    assert result.verdict is Verdict.PASSED, render_result(result)


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (LeavesATask, "task kept"),
        (CannotClose, "RuntimeError: cannot close"),
        (StuckInItsClose, "StuckInItsClose.__aexit__"),
    ],
)
def test_a_close_that_goes_wrong_fails_and_says_where(ran, service, told):
    result = ran(service, closing('{ after = "ask", when = "begins" }'))
    assert result.verdict is Verdict.FAILED
    assert told in render_result(result)


def test_the_system_is_open_again_for_a_phase_that_is_timed_later(ran):
    timed = AGAIN.replace('user = "bob"', 'user = "each"').replace('"two"', '"three"')
    timed = timed.replace('"again"', '"timed"')
    text = closing('{ after = "ask", when = "begins" }').replace("[check]", timed + "[check]")
    result = ran(Doors, text + 'speedup = { phase = "three", above = 1.9 }\n')
    assert result.verdict is Verdict.PASSED, render_result(result)
