"""The claim that a system works for everybody once nothing goes wrong any more."""

from __future__ import annotations

from harness.results.verdict import CheckResult, Verdict

__all__ = ["NAME", "recovers"]

NAME = "recovers"


def recovers(failures: tuple[str, ...], *, why: str | None) -> CheckResult:
    """Fail on users for whom the system still fails; ``why`` says what the first hang waits for."""
    return CheckResult(
        name=NAME,
        verdict=Verdict.FAILED if failures else Verdict.PASSED,
        expected="the system to work for everybody once nothing goes wrong any more",
        seen=failures[0] if failures else "it does",
        involved=failures,
        why=why,
    )
