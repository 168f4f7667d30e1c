"""The text of a drafted scenario file: each line with a comment that says what it does."""

from __future__ import annotations

import math
from shlex import quote
from typing import TYPE_CHECKING

from harness.checks.no_deadlock import NoDeadlock
from harness.drafts.draft import GIVEN_USER, USERS, Draft, DraftStep, Part
from harness.drafts.examples import USER
from harness.drafts.toml_values import written
from harness.results.wording import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.drafts.answers import Answer

__all__ = ["file_text"]

LINE_LETTERS_MAX = 110
COMMENT_LETTERS_MAX = 160
PHASES = {
    Part.OPEN: ("open", "what has to come first"),
    Part.TOGETHER: ("together", "what stands in one phase begins at the same moment"),
    Part.CLOSE: ("close", "what has to come last"),
}


def file_text(draft: Draft, answers: Mapping[str, Answer], *, path: str) -> str:
    """Write the scenario file for a draft, whose methods answered so when they were tried."""
    file = _plain(quote(path))
    lines = [
        *_comment(f"A scenario for {draft.name}: who does what at once, and what must hold."),
        "# Its values are examples, to be changed. What to do with it:",
        f"#   harness run {file}  # one run, which seed 0 decides",
        f"#   harness explore {file}  # many orders of events, to find one that breaks it",
        "",
        *_top(draft),
    ]
    for part in Part:
        steps = draft.steps_of(part)
        if steps:
            name, meaning = PHASES[part]
            lines += ["", *_line("[[phase]]", "a part of the run; phases follow one another")]
            lines += _line(f"name = {written(name)}", meaning)
            for step in steps:
                lines += ["", *_step(step, answers[step.call])]
    lines += ["", *_checks(draft, answers)]
    for one in draft.left_out:
        lines += ["", *_comment(f"Not called: {one.name}, because {one.why}.")]
    return "\n".join(lines) + "\n"


def _top(draft: Draft) -> Iterator[str]:
    people = f"{', '.join(USERS[:-1])} and {USERS[-1]}"
    claim = f"{draft.name} does right by {people}, whoever comes first."
    yield from _line(f"claim = {written(claim)}", "what this file proves, in a sentence of yours")
    yield from _line(
        f"system = {written(draft.system)}", "the class; each run makes an object of it"
    )
    if draft.settings:
        message = "what its constructor is given"
        yield from _line(f"settings = {written(draft.settings)}", _guessed(message, draft.guesses))
    yield from _line(f"users = {written(list(USERS))}", "who calls it: any names, any number")


def _step(step: DraftStep, answer: Answer) -> Iterator[str]:
    yield from _line("[[phase.do]]", "a step: the calls of one method")
    yield from _line(f"call = {written(step.call)}", "the method")
    if step.users == USERS:
        message = "each user calls it once"
        given = f'; the argument "{GIVEN_USER}" is the name' if step.takes_user else ""
        yield from _line('user = "each"', f"{message}{given}")
    if step.arguments:
        message = "the other arguments" if step.takes_user else "its arguments"
        message += f"; {USER} is the name of who calls" if USER in step.arguments.values() else ""
        yield from _line(f"with = {written(step.arguments)}", _guessed(message, step.guesses))
    elif step.guesses:
        yield from _comment(_guessed("its arguments", step.guesses))
    yield from _line(f"expect = {written(_expect(answer))}", _expectation(answer))


def _guessed(message: str, guesses: Mapping[str, str]) -> str:
    if not guesses:
        return message
    return f"{message}; GUESSED: {'; '.join(f'{name}, {why}' for name, why in guesses.items())}"


def _expect(answer: Answer) -> str:
    return "success" if answer.always_returns else "any"


def _expectation(answer: Answer) -> str:
    if answer.always_returns:
        return 'how each call ends: "success", "any", or the class name of an error'
    when = " when called at once, and never in turn" if answer.fails_at_once else ""
    return f"calls may fail, as one did{when}: {answer.error}"


def _checks(draft: Draft, answers: Mapping[str, Answer]) -> Iterator[str]:
    within_s = NoDeadlock().within_s
    yield from _line("[check]", "what must hold; all checks: harness schema scenario")
    yield from _line(
        f"no_deadlock = {written({'within_s': within_s})}",
        f"every call ends within {within_s:g} seconds, which are virtual when simulated",
    )
    yield from _line("no_leaks = {}", "at the end no task is left, and no lock is held")
    if draft.has_audit:
        yield from _line("end_state = {}", "at the end its own audit() finds nothing wrong")
    if draft.conditions:
        yield "# These conditions of the class hold at any moment; if so, check it:"
        yield f"# always = {written({'of': list(draft.conditions)})}"
    calls = [(one.call, answers[one.call]) for one in draft.steps]
    yield from _table(
        "success_share",
        "this share of a step's calls returns, whatever their order",
        {
            written({"of": call, "at_least": _floor(answer.share)}): (
                "every call" if answer.share == 1 else "as many as when it was tried"
            )
            for call, answer in calls
            if answer.share
        },
    )
    distinct = [(call, answer) for call, answer in calls if answer.distinct_at is not None]
    yield from _table(
        "distinct_results",
        "no two calls of a step are given the same",
        {
            written({"of": call, "path": answer.distinct_at}): (
                "at this place in the result" if answer.distinct_at else "the whole result differs"
            )
            for call, answer in distinct
            if not answer.same_at_once
        },
    )
    for call, answer in distinct:
        if answer.same_at_once:
            yield from _comment(
                f"Calls of {call} in turn were never given the same, calls at once were. If that is"
                " a bug, check it:"
            )
            yield f"# distinct_results = {written({'of': call, 'path': answer.distinct_at})}"


def _table(name: str, meaning: str, rows: Mapping[str, str]) -> Iterator[str]:
    if rows:
        yield from _line(f"{name} = [", meaning)
        for row, comment in rows.items():
            yield from _line(f"    {row},", comment)
        yield "]"


def _floor(share: float) -> float:
    """Round a share down, so that it still holds."""
    return math.floor(share * 100) / 100


def _line(code: str, comment: str) -> list[str]:
    """Write a comment behind its line, or above it if they are long together."""
    message = _plain(comment)
    line = f"{code}  # {message}"
    return [line] if len(line) <= LINE_LETTERS_MAX else [f"# {message}", code]


def _comment(text: str) -> list[str]:
    return [f"# {_plain(text)}"]


def _plain(text: str) -> str:
    """Make text of others fit for a comment, which is one line without control characters."""
    return cut(text.replace("\t", " "), COMMENT_LETTERS_MAX)
