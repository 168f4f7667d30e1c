"""The check that all callers of a step got the same result."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from harness.checks.findings import doubtful, judged, named, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters
from harness.history.value_path import canonical

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SameResult", "same_result"]


class SameResult(Parameters):
    """All successful operations of the steps ``of`` returned the same, for each user."""

    of: str | list[str] = Field(
        description="the id of a step, or a list of ids", json_schema_extra=STEP
    )

    @field_validator("of")
    @classmethod
    def _names_steps(cls, of: str | list[str]) -> str | list[str]:
        if not of:
            raise ValueError("must name a step")
        return of

    @property
    def steps(self) -> list[str]:
        """The steps, one or more."""
        return [self.of] if isinstance(self.of, str) else self.of


def same_result(history: History, parameters: SameResult) -> CheckResult:
    """Compare the results of the steps' operations, user by user.

    UNKNOWN where no user has two results, or where every result is None.
    """
    expected = f"the same result from every {' and '.join(parameters.steps)} of a user"
    every = operations_of(history, parameters.steps)
    groups: dict[str | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in every:
        if one.succeeded:
            groups[one.user][canonical(one.value)].append(named(one))
    compared = {
        user: values for user, values in groups.items() if sum(map(len, values.values())) > 1
    }
    if not compared:
        return nothing_to_judge(
            "same_result", expected=expected, seen="no user with two results to compare"
        )
    if all(set(values) == {"null"} for values in compared.values()):
        return nothing_to_judge("same_result", expected=expected, seen="results of nothing (null)")
    mixed = {user: values for user, values in compared.items() if len(values) > 1}
    results = sum(len(names) for values in compared.values() for names in values.values())
    return judged(
        "same_result",
        not mixed,
        expected=expected,
        seen=f"{max(len(values) for values in compared.values())} different for one user"
        f" among {results} results"
        if mixed
        else f"one for each of {len(compared)} users in {results} results",
        involved=[
            f"{value}: {', '.join(names[:3])}"
            for values in mixed.values()
            for value, names in values.items()
        ],
        doubts=doubtful(every),
    )


KIND = CheckKind(name="same_result", parameters=SameResult, check=same_result, faultless=True)
