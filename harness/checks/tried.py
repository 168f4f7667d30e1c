"""The check ``tried``: each fault and park of the scenario took place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks.findings import nothing_to_judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.results.verdict import CheckResult

__all__ = ["NAME", "tried"]

NAME = "tried"


def tried(missing: Sequence[str]) -> CheckResult | None:
    """Make an UNKNOWN of faults and parks that never took place: the claim rests on them.

    Returns None if there are none: then there is nothing to report.
    """
    if not missing:
        return None
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return nothing_to_judge(
        NAME,
        expected="every fault to strike and every park to hold somebody",
        seen=f"{missing[0]}{more}: what the scenario claims was not tried",
        involved=missing,
    )
