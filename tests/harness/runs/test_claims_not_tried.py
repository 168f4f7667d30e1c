"""What was not tried, did not happen or came to nothing is never a plain green."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.errors import BadInput
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict

STEP = """
claim = "It works."
users = ["alice"]
[[phase]]
name = "one"
[[phase.do]]
call = "ask"
"""
SECOND = """
[[phase.do]]
id = "second"
call = "tell"
"""
PARK = 'park = { at = "shop.paid", until = "second" }\n'
FAULT = """
[[fault]]
at = "shop.paid"
kind = "fail"
error = "ValueError"
"""


class Shop:
    points = ("shop.paid", "shop.asked")

    def __init__(self, points: Any) -> None:
        self._points = points

    async def ask(self) -> str:
        await self._points("shop.asked")
        return "asked"

    async def tell(self) -> str:
        return "told"


class Pays(Shop):
    async def ask(self) -> str:
        await self._points("shop.paid")
        return "paid"


class PaysAndRetries(Shop):
    async def ask(self) -> str:
        try:
            await self._points("shop.paid")
        except ValueError:
            await self._points("shop.paid")
        return "paid"


@pytest.mark.parametrize(
    ("service", "text", "verdict", "told"),
    [
        (Shop, STEP + FAULT, Verdict.UNKNOWN, "fault[0] (fail at shop.paid) never struck"),
        (PaysAndRetries, STEP + FAULT, Verdict.PASSED, ""),
        (PaysAndRetries, STEP + FAULT + "skip = 1000", Verdict.UNKNOWN, "fault[0] (fail at"),
        (PaysAndRetries, STEP + FAULT + "times = 9", Verdict.FAILED, "ValueError"),
        (Shop, STEP + PARK + SECOND, Verdict.UNKNOWN, "ask was never parked: it did not come to"),
        (Pays, STEP + PARK + SECOND, Verdict.PASSED, ""),
    ],
)
def test_faults_and_parks_that_never_take_place_are_unknown(ran, service, text, verdict, told):
    result = ran(service, text + "\n[check]\n")
    assert result.verdict is verdict, render_result(result)
    assert told in render_result(result)


def mistaken() -> Any:
    return undefined_name  # type: ignore[name-defined]  # noqa: F821


class Answers:
    async def ask(self) -> Any:
        return await self.answer()

    async def tell(self) -> str:
        return "told"

    async def answer(self) -> Any:
        raise NotImplementedError


class Misspells(Answers):
    async def answer(self) -> Any:
        return mistaken()


class Misses(Answers):
    async def answer(self) -> Any:
        return self.nothing_of_the_kind  # type: ignore[attr-defined]


class Refuses(Answers):
    async def answer(self) -> Any:
        raise ValueError("not today")


class ForgetsToAwait(Answers):
    async def ask(self) -> Any:
        return self.tell()


class ReturnsATask(Answers):
    async def ask(self) -> Any:
        return asyncio.create_task(self.tell())


ANY = 'expect = "any"\n'


@pytest.mark.parametrize(
    ("service", "text", "verdict", "told"),
    [
        (Misspells, ANY, Verdict.FAILED, "expected any, raised NameError"),
        (Misses, ANY, Verdict.FAILED, "expected any, raised AttributeError"),
        (Refuses, ANY, Verdict.UNKNOWN, 'none of 1 returned, which "any" allows: nothing worked'),
        (Refuses, ANY + SECOND, Verdict.PASSED, ""),
        (Refuses, 'expect = "ValueError"', Verdict.PASSED, ""),
        (ForgetsToAwait, "", Verdict.FAILED, "ask returned a coroutine that nobody awaits"),
        (ForgetsToAwait, ANY, Verdict.FAILED, "expected any, raised NotAwaited"),
        (ReturnsATask, "", Verdict.FAILED, "ask returned a Task that nobody awaits"),
    ],
)
def test_an_end_that_is_a_mistake_of_the_code_is_never_expected(ran, service, text, verdict, told):
    result = ran(service, STEP + text + "\n[check]\n")
    assert result.verdict is verdict, render_result(result)
    assert told in render_result(result)


def test_the_audit_of_a_class_that_has_none_is_refused_where_it_is_asked_for(ran):
    with pytest.raises(BadInput, match=r"check\.end_state: Refuses has no method audit, which it"):
        ran(Refuses, STEP + "[check]\nend_state = {}\n")


class Loses(Answers):
    kept: list[Any]

    def __init__(self) -> None:
        type(self).kept = []

    async def answer(self) -> Any:
        self.lose()
        await asyncio.sleep(1)

    def lose(self) -> None:
        raise NotImplementedError

    async def fail(self) -> None:
        await asyncio.sleep(0.1)
        raise KeyError("lost")


def failing() -> None:
    raise KeyError("lost")


class LosesATask(Loses):
    def lose(self) -> None:
        self.kept.append(asyncio.create_task(self.fail()))


class LosesACall(Loses):
    def lose(self) -> None:
        self.kept.append(asyncio.get_running_loop().run_in_executor(None, failing))


class LosesACallThatNobodyHolds(Loses):
    def lose(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, failing)


@pytest.mark.parametrize("service", [LosesATask, LosesACall, LosesACallThatNobodyHolds])
def test_an_error_that_nobody_takes_fails_the_run_though_it_is_held(ran, service):
    result = ran(service, STEP + "\n[check]\n")
    assert result.verdict is Verdict.FAILED
    told = render_result(result)
    assert "exception was never retrieved" in told
    assert "KeyError('lost')" in told


class Takes(Loses):
    async def answer(self) -> Any:
        calls = [asyncio.get_running_loop().run_in_executor(None, failing) for _ in range(3)]
        calls.append(asyncio.create_task(self.fail()))
        self.kept.extend(calls)
        return [str(one) for one in await asyncio.gather(*calls, return_exceptions=True)]


def test_an_error_that_was_taken_fails_nothing(ran):
    assert ran(Takes, STEP + "\n[check]\n").verdict is Verdict.PASSED
