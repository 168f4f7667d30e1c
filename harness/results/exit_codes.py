"""The exit codes of the command line."""

from __future__ import annotations

from harness.results.verdict import Verdict

__all__ = ["EXIT_CODES", "EXIT_INTERRUPTED"]

EXIT_CODES = {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNKNOWN: 3}
EXIT_INTERRUPTED = 130
