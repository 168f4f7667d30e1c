"""The drafting of a scenario file: a class is read, tried, and written of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.drafts.answers import answer_of
from harness.drafts.draft import Draft, LeftOut, draft_of
from harness.drafts.text import file_text
from harness.drafts.trial import Trial, tried
from harness.results.wording import one_line
from harness.systems.imports import importing_from_here

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.drafts.answers import Answer

__all__ = ["Drafted", "drafted"]

WAITS = (
    "its calls did not end: they wait for a call that this file does not make, or go on for ever"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A scenario file's text, and what whoever asked for it should know."""

    text: str
    remarks: tuple[str, ...]


@importing_from_here()
def drafted(system: str, *, path: str) -> Drafted:
    """Draft the scenario file ``path`` for a class.

    Raises:
        BadInput: There is no such class, or it has nothing to call.
    """
    draft = draft_of(system)
    trial = tried(draft)
    while (hung := trial.hung()) and (kept := _without(draft, hung)).steps:
        draft = kept
        trial = tried(draft)
    answers = {one.call: answer_of(one.call, trial) for one in draft.steps}
    return Drafted(
        text=file_text(draft, answers, path=path),
        remarks=tuple(map(one_line, _remarks(draft, trial, answers))),
    )


def _without(draft: Draft, hung: set[str]) -> Draft:
    left_out = (LeftOut(name=name, why=WAITS) for name in sorted(hung))
    return replace(
        draft,
        steps=tuple(one for one in draft.steps if one.call not in hung),
        left_out=(*draft.left_out, *left_out),
    )


def _remarks(draft: Draft, trial: Trial, answers: Mapping[str, Answer]) -> Iterator[str]:
    for name, why in draft.guesses.items():
        yield f"settings: {name} is a guess: {why}; put in one of your own"
    for step in draft.steps:
        for name, why in step.guesses.items():
            yield f"{step.call}: its argument {name} is a guess: {why}"
    for step in draft.steps:
        answer = answers[step.call]
        if answer.fails_at_once:
            yield (
                f"{step.call}: calls at once failed, calls in turn never: {answer.error};"
                ' if that is a bug, write expect = "success"'
            )
        if answer.same_at_once:
            yield (
                f"{step.call}: calls at once were given the same, calls in turn never were; if that"
                " is a bug, add the check distinct_results that is a comment in the file"
            )
    for one in draft.left_out:
        yield f"{one.name} is not called: {one.why}"
    for finding in trial.findings:
        yield f"it will fail, and then show why: {finding}"
    if trial.problem:
        yield f"it could not be tried: {trial.problem}"
