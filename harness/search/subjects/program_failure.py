"""How a failed run of a program is told, and which failures are one."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from harness.diagnosis.classification import is_program
from harness.diagnosis.places import place_of
from harness.diagnosis.wait_graph import render
from harness.errors import readable
from harness.history.wait_words import around
from harness.search.subjects.attempt import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from harness.history.records import Diagnosis
    from harness.simulated.left_behind import Left

__all__ = [
    "failure_of_cut",
    "failure_of_deadlock",
    "failure_of_error",
    "failure_of_leaks",
    "failure_of_pause",
    "failure_of_unhandled",
]

STACK_LINES_MAX = 12


def failure_of_error(error: BaseException) -> Failure:
    """Tell an error that the program raised; equal type and line are one cause."""
    place = "an unknown place"
    stack: list[str] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        if is_program(frame):
            place = _place(frame, line)
            stack.append(place)
    text = readable(error, str).strip() or "no message"
    headline = f"{type(error).__qualname__}: {text.splitlines()[0]}"
    if isinstance(error, SystemExit):
        code = error.code if type(error.code) is int else repr(str(error))
        headline = f"the program ended the interpreter: {type(error).__qualname__}({code})"
    return Failure(
        cause=f"{type(error).__qualname__} at {place}",
        headline=headline,
        lines=(f"at {place}",),
        stack=tuple(stack[-STACK_LINES_MAX:]),
    )


def failure_of_deadlock(diagnosis: Diagnosis) -> Failure:
    """Tell that nothing can go on; the lines at which the tasks wait are the cause."""
    in_ring = [one for one in diagnosis.blocked if one.task in diagnosis.cycle]
    shown = in_ring or list(diagnosis.blocked)
    # All that are blocked: who is in the cycle is only known where locks are watched.
    places = sorted({one.where for one in diagnosis.blocked})
    if diagnosis.cycle:
        headline = "deadlock: " + " -> ".join(around(diagnosis.cycle))
    else:
        headline = f"stuck: {len(shown)} wait for what nobody will do"
    return Failure(
        cause="deadlock at " + ", ".join(places),
        headline=headline,
        lines=tuple(render(diagnosis).splitlines()),
        stack=tuple(f"{one.task}: {one.where}" for one in shown),
        diagnosis=diagnosis,
    )


def failure_of_pause(reason: str, diagnosis: Diagnosis | None) -> Failure:
    """Tell that a run was ended because it would not end by itself."""
    return Failure(
        cause=f"no end: {reason}",
        headline=f"no end: {reason}",
        lines=() if diagnosis is None else tuple(render(diagnosis).splitlines()),
        diagnosis=diagnosis,
    )


def failure_of_cut(headline: str, place: str) -> Failure:
    """Tell of a step that was shown never to return; its line is the cause."""
    return Failure(cause=f"never returns at {place}", headline=headline, stack=(place,))


def failure_of_unhandled(texts: tuple[str, ...]) -> Failure:
    """Tell of errors that no code took."""
    return Failure(
        cause=f"unhandled: {texts[0].split(' at 0x')[0]}",
        headline=f"an error that nobody handled: {texts[0]}",
        lines=texts,
    )


def failure_of_leaks(left: Sequence[Left]) -> Failure:
    """Tell of what was left behind; what it is, not which task it was, is the cause."""
    first, more = left[0], f" and {len(left) - 1} more" if len(left) > 1 else ""
    allowed = ", ".join(sorted({f'"{one.kind}"' for one in left}))
    return Failure(
        cause="left behind: " + ", ".join(sorted({f"{one.kind} {one.what}" for one in left})),
        headline=f"left behind when it returned: {first.text}{more}",
        lines=(*(one.text for one in left), f"where it is meant: allow=[{allowed}]"),
    )


def _place(frame: FrameType, line: int) -> str:
    return place_of(frame.f_code, line)
