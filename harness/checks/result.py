"""The check that a step's results hold the expected values."""

from __future__ import annotations

from datetime import date, datetime, time
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator, model_validator

from harness.checks.findings import doubtful, judged, named, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters
from harness.history.value_path import PathMissing, canonical, values_at

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "Result", "result"]


class Result(Parameters):
    """Each result of the step ``of`` holds exactly ``equals``, or ``count`` items, at ``path``.

    A path with ``*`` gives a list. Lists are compared in any order unless ``ordered``. ``{user}``
    in a text of ``equals`` stands for the name of the user whose result it is.
    """

    of: str = Field(description="the id of a step", json_schema_extra=STEP)
    path: str = Field(default="", description="where to look; default: the whole result")
    equals: Any = Field(
        default=None, description="the value, or the list of values where the path has a *"
    )
    count: int | None = Field(default=None, ge=0, description="how many items, instead of which")
    ordered: bool = Field(default=False, description="compare a list in its order")

    @field_validator("equals")
    @classmethod
    def _can_be_found(cls, equals: Any) -> Any:
        problem = _never_found(equals)
        if problem is not None:
            raise ValueError(problem)
        return equals

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.count is None) == (self.equals is None):
            raise ValueError("must give exactly one of equals and count")
        return self


def result(history: History, parameters: Result) -> CheckResult:
    """Compare the values at the path with the expected ones."""
    where = f" at {parameters.path}" if parameters.path else ""
    wanted = f"{parameters.count} items" if parameters.equals is None else repr(parameters.equals)
    expected = f"{parameters.of}{where} to be {wanted}"
    every = operations_of(history, parameters.of)
    done = [one for one in every if one.succeeded]
    if not done:
        return nothing_to_judge("result", expected=expected, seen="no operation that succeeded")
    wrong = [
        f"{named(one)}: {problem}"
        for one in done
        if (problem := _problem(one, parameters)) is not None
    ]
    return judged(
        "result",
        not wrong,
        expected=expected,
        seen=wrong[0] if wrong else f"it in {len(done)} result{'s' * (len(done) != 1)}",
        involved=wrong,
        doubts=doubtful(every),
    )


def _problem(operation: Operation, parameters: Result) -> str | None:
    try:
        values = values_at(operation.value, parameters.path)
    except PathMissing as missing:
        return str(missing)
    found = values if "*" in parameters.path.split(".") else values[0]
    if parameters.count is not None:
        if not isinstance(found, list | tuple | dict):
            return f"{found!r}, which has no items"
        return None if len(found) == parameters.count else f"{len(found)} items: {found!r}"
    equals = _of_user(parameters.equals, operation.user or "")
    wanted = _comparable(equals, ordered=parameters.ordered)
    return None if _comparable(found, ordered=parameters.ordered) == wanted else repr(found)


def _of_user(value: Any, user: str) -> Any:
    """Put the user's name into texts, however deep."""
    if isinstance(value, str):
        return value.replace("{user}", user)
    if isinstance(value, list):
        return [_of_user(one, user) for one in value]
    if isinstance(value, dict):
        return {key: _of_user(one, user) for key, one in value.items()}
    return value


def _comparable(value: Any, *, ordered: bool) -> str | list[str]:
    if isinstance(value, list | tuple) and not ordered:
        return sorted(map(canonical, value))
    return canonical(value)


def _never_found(value: Any) -> str | None:
    """Say why no result can ever hold the value, or return None."""
    if isinstance(value, datetime | date | time):
        return "must be what JSON has: results hold dates as text, so write it in quotes"
    if isinstance(value, float) and not isfinite(value):
        return "must be a finite number"
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((message for one in inner if (message := _never_found(one)) is not None), None)


KIND = CheckKind(
    name="result", parameters=Result, check=result, timed_by_delays=True, faultless=True
)
