"""What a trial says of each method: how its calls may end, and what can be claimed of them."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from harness.drafts.draft import USERS
from harness.history.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.drafts.trial import Trial
    from harness.history.records import Operation

__all__ = ["Answer", "answer_of"]

ID_KEY = re.compile(r"(\w+_)?(id|number|token|code)")
# As short a text is taken for an id only if every run gives the same ones.
ID_LETTERS_MIN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the calls of a method ended, and what may be claimed of them.

    ``always_returns``: no call failed. ``share`` of the calls returned in every run, or None if it
    differed. ``error`` tells a failure. ``fails_at_once``: only calls at once failed.
    ``distinct_at`` is the path at which calls in turn never gave the same, or None;
    ``same_at_once`` says that calls at once did.
    """

    always_returns: bool = True
    share: float | None = 1.0
    error: str = ""
    fails_at_once: bool = False
    distinct_at: str | None = None
    same_at_once: bool = False


def answer_of(call: str, trial: Trial) -> Answer:
    """Sum up what the calls of a method gave."""
    in_turn = _of(call, trial.in_turn)
    at_once = _of(call, trial.at_once)
    if any(one.outcome is Outcome.UNFINISHED for one in chain(*in_turn)):
        in_turn = at_once  # it needs others beside it
    if not in_turn or not at_once:
        return Answer()
    shares = {sum(one.succeeded for one in run) / len(run) for run in (*in_turn, *at_once)}
    failed = [one for one in chain(*in_turn, *at_once) if not one.succeeded]
    path = _distinct_at(in_turn)
    return Answer(
        always_returns=not failed,
        share=shares.pop() if len(shares) == 1 else None,
        error=_told(failed[0]) if failed else "",
        fails_at_once=bool(failed) and all(one.succeeded for one in chain(*in_turn)),
        distinct_at=path,
        same_at_once=path is not None and not _are_distinct(at_once, path),
    )


def _of(call: str, runs: Iterable[Sequence[Operation]]) -> list[list[Operation]]:
    chosen = ([one for one in run if one.call == call] for run in runs)
    return [run for run in chosen if run]


def _told(operation: Operation) -> str:
    if operation.error is None:
        return operation.outcome.value
    return f"{operation.error.type}: {operation.error.message}".removesuffix(": ")


def _distinct_at(runs: list[list[Operation]]) -> str | None:
    """Find where results hold what looks like ids: never the same twice in a run."""
    results = [one.value for run in runs for one in run if one.succeeded]
    for path in _paths(results):
        if _are_distinct(runs, path) and _are_ids(runs, path):
            return path
    return None


def _paths(results: list[Any]) -> Iterator[str]:
    if all(isinstance(one, dict) for one in results):
        yield from (key for key in results[0] if ID_KEY.fullmatch(key)) if results else ()
    else:
        yield ""


def _values(run: Iterable[Operation], path: str) -> list[Any]:
    results = [one.value for one in run if one.succeeded]
    return [one.get(path) for one in results] if path else results


def _are_distinct(runs: list[list[Operation]], path: str) -> bool:
    """Return True if every run has two values at least, and none of them twice."""
    for run in runs:
        values = _values(run, path)
        if len(values) < 2 or not all(map(_may_be_id, values)) or len(set(values)) < len(values):
            return False
    return True


def _may_be_id(value: Any) -> bool:
    """Return True for whole numbers and texts, but for moments and what names a user."""
    if isinstance(value, str):
        with suppress(ValueError):
            datetime.fromisoformat(value)
            return False
        return not any(name in value for name in USERS)
    return isinstance(value, int) and not isinstance(value, bool)


def _are_ids(runs: list[list[Operation]], path: str) -> bool:
    """Return True for values that do not differ by chance: long texts, or those of every run."""
    values = [_values(run, path) for run in runs]
    if all(isinstance(one, str) and len(one) >= ID_LETTERS_MIN for one in chain(*values)):
        return True
    return all(Counter(one) == Counter(values[0]) for one in values)
