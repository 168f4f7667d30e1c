"""Own the claim that what was made is distinct: no id was handed out twice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge, operations_of
from harness.checks.parameters import Parameters
from harness.checks.value_path import PathMissing, values_at

if TYPE_CHECKING:
    from harness.history import History
    from harness.verdict import CheckResult

__all__ = ["DistinctAccounts", "distinct_accounts"]


class DistinctAccounts(Parameters):
    """The values at ``path`` in the results of the steps ``of`` (default: all) all differ."""

    of: str | list[str] | None = Field(
        default=None, description="the id of a step, or a list of them; default: every step"
    )
    path: str = Field(default="account_id", description="where a result holds the id")


def distinct_accounts(history: History, parameters: DistinctAccounts) -> CheckResult:
    """Collect the ids from all results, and fail on one that appears twice."""
    whose: dict[str, list[str]] = defaultdict(list)
    for operation in operations_of(history, parameters.of):
        if not operation.succeeded:
            continue
        try:
            found = values_at(operation.value, parameters.path)
        except PathMissing:
            if parameters.of is not None:
                whose[f"nothing at {parameters.path}"] += [named(operation)] * 2
            continue
        for value in found:
            whose[str(value)].append(named(operation))
    expected = f"a {parameters.path} of its own for each"
    if not whose:
        return nothing_to_judge("distinct_accounts", expected=expected, seen="no result with one")
    twice = {value: names for value, names in whose.items() if len(names) > 1}
    return judged(
        "distinct_accounts",
        not twice,
        expected=expected,
        seen=f"{len(whose)} different in {sum(map(len, whose.values()))}",
        involved=[f"{value}: {', '.join(names)}" for value, names in twice.items()],
    )
