"""Own the claim that all callers were handed the very same thing."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge, operations_of
from harness.checks.parameters import Parameters

if TYPE_CHECKING:
    from harness.history import History
    from harness.verdict import CheckResult

__all__ = ["SameResult", "same_result"]


class SameResult(Parameters):
    """All successful operations of the step ``of`` returned the same, for each user."""

    of: str = Field(description="the id of a step")


def same_result(history: History, parameters: SameResult) -> CheckResult:
    """Compare the results of a step's operations, user by user."""
    expected = f"the same result from every {parameters.of} of a user"
    done = [one for one in operations_of(history, parameters.of) if one.succeeded]
    groups: dict[str | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in done:
        groups[one.user][json.dumps(one.value, sort_keys=True, default=str)].append(named(one))
    if not any(len(found) > 1 for values in groups.values() for found in values.values()) and (
        len(done) < 2
    ):
        return nothing_to_judge("same_result", expected=expected, seen=f"{len(done)} results")
    mixed = {user: values for user, values in groups.items() if len(values) > 1}
    return judged(
        "same_result",
        not mixed,
        expected=expected,
        seen=f"{max(len(values) for values in groups.values())} different"
        f" among {len(done)} results",
        involved=[
            f"{value}: {', '.join(names[:3])}"
            for values in mixed.values()
            for value, names in values.items()
        ],
    )
