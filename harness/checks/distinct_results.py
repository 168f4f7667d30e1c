"""The check that results are distinct: no id was handed out twice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.checks.findings import doubtful, judged, named, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters
from harness.history.value_path import PathMissing, canonical, values_at

if TYPE_CHECKING:
    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "DistinctResults", "distinct_results"]


class DistinctResults(Parameters):
    """The values at ``path`` in the results of the steps ``of`` all differ.

    Without ``of``, every step counts that has a value at the path. If one result of a step has it,
    every result of that step must.
    """

    of: str | list[str] | None = Field(
        default=None,
        description="the id of a step, or a list of them; default: every step",
        json_schema_extra=STEP,
    )
    path: str = Field(default="account_id", description="where a result holds the id")


def distinct_results(history: History, parameters: DistinctResults) -> CheckResult:
    """Collect the ids from all results, and fail on one that appears twice.

    UNKNOWN with fewer than two ids: a single id is always distinct.
    """
    expected = f"each {parameters.path or 'result'} to be handed out once"
    every = operations_of(history, parameters.of)
    whose: dict[str, list[str]] = defaultdict(list)
    without: list[Operation] = []
    with_ids = {*([parameters.of] if isinstance(parameters.of, str) else parameters.of or ())}
    for operation in every:
        if not operation.succeeded:
            continue
        found = _ids(operation, parameters.path)
        if found is None:
            without.append(operation)
            continue
        with_ids.add(operation.step)
        for value in found:
            whose[value].append(named(operation))
    ids = sum(map(len, whose.values()))
    findings = [
        f"{value}: {', '.join(names)}" for value, names in whose.items() if len(names) > 1
    ] + [f"{named(one)}: nothing at {parameters.path}" for one in without if one.step in with_ids]
    if ids < 2 and not findings:
        return nothing_to_judge(
            "distinct_results", expected=expected, seen=f"{ids} to compare, not two"
        )
    return judged(
        "distinct_results",
        not findings,
        expected=expected,
        seen=f"{len(whose)} different among {ids}",
        involved=findings,
        doubts=doubtful(one for one in every if one.step in with_ids),
    )


def _ids(operation: Operation, path: str) -> list[str] | None:
    try:
        return [_text(value) for value in values_at(operation.value, path)]
    except PathMissing:
        return None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)


KIND = CheckKind(
    name="distinct_results", parameters=DistinctResults, check=distinct_results, with_less_work=True
)
