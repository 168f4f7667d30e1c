"""Own the claim that a step's results hold certain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from harness.checks.findings import judged, named, nothing_to_judge, operations_of
from harness.checks.parameters import Parameters
from harness.checks.value_path import PathMissing, values_at

if TYPE_CHECKING:
    from typing import Self

    from harness.history import History, Operation
    from harness.verdict import CheckResult

__all__ = ["Result", "result"]


class Result(Parameters):
    """At ``path`` each result of the step ``of`` holds exactly ``equals``, or ``count`` items.

    A path with ``*`` gives a list, compared in any order unless ``ordered``.
    """

    of: str = Field(description="the id of a step")
    path: str = Field(default="", description="where to look; default: the whole result")
    equals: Any = Field(
        default=None, description="the value, or the list of values where the path has a *"
    )
    count: int | None = Field(default=None, ge=0, description="how many items, instead of which")
    ordered: bool = Field(default=False, description="compare a list in its order")

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.count is None) == (self.equals is None):
            msg = "must give exactly one of equals and count"
            raise ValueError(msg)
        return self


def result(history: History, parameters: Result) -> CheckResult:
    """Compare the values found with those expected."""
    where = f" at {parameters.path}" if parameters.path else ""
    wanted = f"{parameters.count} items" if parameters.equals is None else repr(parameters.equals)
    expected = f"{parameters.of}{where} to be {wanted}"
    done = [one for one in operations_of(history, parameters.of) if one.succeeded]
    if not done:
        return nothing_to_judge("result", expected=expected, seen="no operation that succeeded")
    wrong = []
    for one in done:
        found = _found(one, parameters)
        if not _is_right(found, parameters):
            wrong.append(f"{named(one)}: {found!r}")
    return judged(
        "result",
        not wrong,
        expected=expected,
        seen=wrong[0] if wrong else f"it in {len(done)} results",
        involved=wrong,
    )


def _is_right(found: Any, parameters: Result) -> bool:
    if parameters.count is not None:
        return isinstance(found, list | dict) and len(found) == parameters.count
    return bool(found == _comparable(parameters.equals, parameters))


def _found(operation: Operation, parameters: Result) -> Any:
    try:
        found = values_at(operation.value, parameters.path)
    except PathMissing as missing:
        return str(missing)
    return _comparable(found if "*" in parameters.path else found[0], parameters)


def _comparable(value: Any, parameters: Result) -> Any:
    if isinstance(value, list | tuple):
        return list(value) if parameters.ordered else sorted(value, key=repr)
    return value
