"""However a service ends, the run ends too: with a verdict, a reason, and no folder left."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from harness.history.records import Outcome, Pacing
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict

HEAD = 'claim = "It ends."\nusers = ["alice", "bob"]\n'
ONE = HEAD + '[[phase]]\nname = "one"\n[[phase.do]]\ncall = "ask"\nuser = "each"\n'


class Service:
    """Answers after a moment."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.asked = 0

    async def ask(self, user: str) -> dict[str, str]:
        await asyncio.sleep(1)
        self.asked += 1
        return {"user": user}

    async def tell(self, user: str, of: str) -> str:
        return f"{user} of {of}"


class FailsToClose(Service):
    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_error: object) -> None:
        raise RuntimeError("cannot close")


class FailsToOpen(FailsToClose):
    async def __aenter__(self) -> None:
        raise OSError("no room")


class StuckInClose(FailsToClose):
    async def __aexit__(self, *_error: object) -> None:
        await asyncio.Event().wait()


class AuditComplains(Service):
    async def audit(self) -> list[str]:
        return ["a row too many"]


class LosesAnError(Service):
    async def ask(self, user: str) -> dict[str, str]:
        asyncio.get_running_loop().call_soon(self._fail)
        return await super().ask(user)

    def _fail(self) -> None:
        raise ValueError("nobody is told")


class NeverAnswers(Service):
    async def ask(self, user: str) -> dict[str, str]:
        if user == "alice":
            await asyncio.get_running_loop().create_future()
        return await super().ask(user)


class Connects(Service):
    async def ask(self, user: str) -> dict[str, str]:
        await asyncio.open_connection("localhost", 80)
        return await super().ask(user)


class PollsAsItOpens(FailsToClose):
    async def __aenter__(self) -> None:
        while True:  # noqa: ASYNC110 - polling is what this is about
            await asyncio.sleep(0.1)


class PollsAsItCloses(FailsToClose):
    async def __aexit__(self, *_error: object) -> None:
        while True:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)


class PollsInItsAudit(Service):
    async def audit(self) -> list[str]:
        while True:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)


class Spins(Service):
    async def ask(self, user: str) -> dict[str, str]:
        while True:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)


class SleepsOn(Service):
    async def ask(self, user: str) -> dict[str, str]:
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3_600)


class Interrupts(Service):
    async def ask(self, user: str) -> dict[str, str]:
        raise KeyboardInterrupt


class TakesItsLockTwice(Service):
    async def ask(self, user: str) -> dict[str, str]:
        lock = threading.Lock()
        with lock:
            lock.acquire()
        return {}


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (PollsAsItOpens, "the opening of the system did not end within 300 s of virtual time"),
        (PollsAsItCloses, "the closing of the system did not end within 300 s of virtual time"),
        (PollsInItsAudit, "the audit did not end within 300 s of virtual time"),
        (Spins, "ended after "),
    ],
)
def test_what_polls_for_ever_is_unknown_with_its_limit_and_its_line(ran, service, told):
    limit = "steps_max = 5_000\n" if service is Spins else ""
    result = ran(service, limit + ONE + "[check]\nno_deadlock = { within_s = 5 }\n")
    assert result.verdict is Verdict.UNKNOWN
    assert result.could_not_run.startswith(told)
    assert "test_run_endings.py" in result.could_not_run


def test_an_operation_that_outlasts_its_time_has_failed_whatever_ends_the_run(ran):
    result = ran(SleepsOn, ONE + "[check]\nno_deadlock = { within_s = 5 }\n")
    assert result.verdict is Verdict.FAILED
    assert [one.name for one in result.checks] == ["no_deadlock"]
    assert "SleepsOn.ask" in render_result(result)


def test_a_keyboard_interrupt_of_the_system_fails_its_run(ran):
    result = ran(Interrupts, ONE + "[check]\n")
    assert result.verdict is Verdict.FAILED
    assert "KeyboardInterrupt" in render_result(result)


@pytest.mark.usefixtures("alone")
def test_a_step_that_waits_for_itself_fails_its_run_with_its_line(ran):
    result = ran(TakesItsLockTwice, ONE + "[check]\n")
    assert result.verdict is Verdict.FAILED
    assert "the loop waits for itself" in render_result(result)
    assert "TakesItsLockTwice.ask" in render_result(result)


def test_a_sound_service_passes_and_a_system_without_audit_is_not_asked(ran):
    result = ran(Service, ONE + "[check]\n")
    assert result.verdict is Verdict.PASSED
    assert [check.name for check in result.checks] == ["no_deadlock", "outcomes", "no_leaks"]


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (FailsToOpen, "OSError: no room"),
        (FailsToClose, "RuntimeError: cannot close"),
        (StuckInClose, "StuckInClose.__aexit__"),
        (AuditComplains, "a row too many"),
        (LosesAnError, "nobody is told"),
        (NeverAnswers, "NeverAnswers.ask"),
    ],
)
def test_a_service_that_goes_wrong_fails_and_says_where(ran, service, told):
    result = ran(service, ONE + "[check]\nno_deadlock = { within_s = 5 }\n")
    assert result.verdict is Verdict.FAILED
    assert told in render_result(result)


def test_a_service_that_asks_for_what_a_simulation_has_not_is_not_blamed(ran):
    result = ran(Connects, ONE + "[check]\n")
    assert result.verdict is Verdict.UNKNOWN
    asked = "the system asks for what a simulation has not: loop.create_connection: not available"
    assert result.could_not_run.startswith(asked)


def test_an_operation_past_its_deadline_does_not_end_the_run(ran):
    more = '[[phase]]\nname = "two"\n[[phase.do]]\nid = "later"\ncall = "ask"\nuser = "bob"\n'
    result = ran(NeverAnswers, ONE + more + "[check]\nno_deadlock = { within_s = 5 }\n")
    outcomes = {(one.step, one.user): one.outcome for one in result.history.operations}
    assert outcomes["ask", "alice"] is Outcome.UNFINISHED
    assert outcomes["later", "bob"] is Outcome.RETURNED
    assert result.history.deadlock is not None


def test_templates_and_earlier_results_are_filled_in(ran):
    more = (
        '[[phase]]\nname = "two"\n[[phase.do]]\ncall = "tell"\nuser = "each"\ntimes = 2\n'
        'with.of = "$ask.user"\n[[phase.do]]\nid = "count"\ncall = "tell"\nuser = "bob"\n'
        'times = 2\nwith.of = "{user}-{number}-{copy}"\n'
    )
    result = ran(Service, ONE + more + "[check]\n")
    told = [one.value for one in result.history.operations if one.step == "tell"]
    assert told == ["alice of alice"] * 2 + ["bob of bob"] * 2
    counted = [one.value for one in result.history.operations if one.step == "count"]
    assert counted == ["bob of bob-1-0", "bob of bob-1-1"]


def test_starts_delays_and_repetitions_keep_their_times(ran):
    text = HEAD + (
        '[[phase]]\nname = "one"\n[[phase.do]]\ncall = "ask"\nuser = "alice"\n'
        "repeat = { times = 3, gap_ms = 500 }\n"
        '[[phase.do]]\nid = "late"\ncall = "ask"\nuser = "bob"\n'
        'start = { after = "ask", when = "ends", delay_ms = 250 }\n[check]\n'
    )
    begun = [(one.step, one.begin_s) for one in ran(Service, text).history.operations]
    assert begun == [("ask", 0.0), ("ask", 1.5), ("ask", 3.0), ("late", 4.25)]


def test_a_cancelled_copy_is_cancelled_and_the_others_are_not(ran):
    text = HEAD + (
        '[[phase]]\nname = "one"\n[[phase.do]]\ncall = "ask"\nuser = "alice"\ntimes = 3\n'
        "cancel = { after_ms = 500, copies = 2 }\n[check]\n"
    )
    result = ran(Service, text)
    outcomes = [one.outcome for one in result.history.operations]
    assert outcomes == [Outcome.CANCELLED, Outcome.CANCELLED, Outcome.RETURNED]
    assert result.verdict is Verdict.PASSED


def test_a_speed_up_is_timed_on_fresh_storage_in_both_pacings(ran):
    result = ran(Service, ONE + '[check]\nspeedup = { phase = "one", above = 1.9 }\n')
    assert result.verdict is Verdict.PASSED
    timed = {one.pacing: one.duration_s for one in result.history.measurements}
    assert timed == {Pacing.SEQUENTIAL: pytest.approx(2.0), Pacing.TOGETHER: pytest.approx(1.0)}


def test_a_restart_opens_the_service_again_on_the_same_folder(ran):
    class Remembers(Service):
        async def ask(self, user: str) -> dict[str, str]:
            marks = [one.name for one in sorted(self.directory.iterdir())]
            (self.directory / f"{user}-{len(marks)}").touch()
            return {"user": ",".join(marks)}

    text = HEAD + (
        '[[phase]]\nname = "one"\n[[phase.do]]\ncall = "ask"\nuser = "alice"\n'
        '[[phase]]\nname = "two"\nrestart = true\n[[phase.do]]\nid = "again"\ncall = "ask"\n'
        'user = "bob"\n[check]\nresult = { of = "again", path = "user", equals = "alice-0" }\n'
    )
    assert ran(Remembers, text).verdict is Verdict.PASSED


def test_no_folder_is_left_behind(ran):
    places = [place for place in (Path("/dev/shm"), Path("/tmp")) if place.is_dir()]
    seen: list[Path] = []

    class Notes(FailsToClose):
        async def ask(self, user: str) -> dict[str, str]:
            seen.append(self.directory)
            return await super().ask(user)

    ran(Notes, ONE + "[check]\n")
    assert places
    assert seen
    assert not any(folder.exists() for folder in seen)


def test_a_step_whose_earlier_result_failed_fails_alone_and_the_run_goes_on(ran):
    class AliceFails(Service):
        async def ask(self, user: str) -> dict[str, str]:
            if user == "alice":
                raise LookupError("not you")
            return await super().ask(user)

    more = (
        '[[phase]]\nname = "two"\n[[phase.do]]\ncall = "tell"\nuser = "each"\n'
        'with.of = "$ask.user"\n'
    )
    result = ran(AliceFails, ONE + more + "[check]\n")
    told = {one.user: one.outcome for one in result.history.operations if one.step == "tell"}
    assert told == {"alice": Outcome.RAISED, "bob": Outcome.RETURNED}
    assert "run" not in {check.name for check in result.checks}
