"""The check ``run``: the system was opened, run and closed, and every error was handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.history.wait_words import describe
from harness.results.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.history.records import Diagnosis, ErrorRecord

__all__ = ["NAME", "whole_run", "whole_run_ended"]

NAME = "run"
EXPECTED = "the system to open, run and close without an error"


def whole_run(
    *,
    error: ErrorRecord | None,
    exit_status: str | None,
    diagnosis: Diagnosis | None,
    unhandled: Sequence[str],
) -> CheckResult | None:
    """Fail on an error, on a run that could not go on, and on unhandled errors.

    ``exit_status`` is the status with which the system ended the interpreter, if it did. Returns
    None for a sound run: then there is nothing to report.
    """
    if error is not None:
        seen = f"{error.type}: {error.message}"
        if exit_status is not None:
            seen = f"the system under test ended the interpreter: {error.type}({exit_status})"
        return _failed(seen, involved=error.chain)
    if diagnosis is not None:
        return _failed(f"it could not go on at {diagnosis.at_s:.3f} s", why=describe(diagnosis))
    if unhandled:
        more = f" and {len(unhandled) - 1} more" if len(unhandled) > 1 else ""
        return _failed(
            f"{unhandled[0]}{more}",
            expected="no error that nobody handled",
            involved=tuple(unhandled),
        )
    return None


def whole_run_ended(why: str) -> CheckResult:
    """Fail on a step that was shown never to return."""
    return _failed(why)


def _failed(
    seen: str, *, expected: str = EXPECTED, involved: tuple[str, ...] = (), why: str | None = None
) -> CheckResult:
    return CheckResult(
        name=NAME, verdict=Verdict.FAILED, expected=expected, seen=seen, involved=involved, why=why
    )
