"""The results of a run, and of a batch of runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.results.verdict import CheckResult, Verdict, verdict_of

if TYPE_CHECKING:
    from harness.history.records import History
    from harness.results.profile_used import ProfileUsed

__all__ = ["RunReport", "RunResult"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of a run: one scenario, one backend, one seed.

    ``scenario`` is the file's stem, ``path`` the file as it was given, ``node`` the backend.
    ``digest`` is the sha256 of the trace; it and ``virtual_s`` are None when live.
    ``could_not_run`` is the reason why a run never began: the verdict is then UNKNOWN. ``profile``
    is the latency profile that a simulated run drew from, with its ``name`` and its ``hash``.
    """

    scenario: str
    path: str
    claim: str
    node: str
    seed: int
    verdict: Verdict
    digest: str | None
    checks: tuple[CheckResult, ...]
    virtual_s: float | None
    wall_s: float
    replay: str
    history: History | None = None
    could_not_run: str | None = None
    profile: ProfileUsed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """A batch of runs, with what is needed to judge and repeat them.

    ``versions`` maps package to version (python, mosaic-harness, simpy, …; when live also the
    node's and the client's). ``machine`` holds cores, memory_gib, system, processor.
    """

    runs: tuple[RunResult, ...]
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=dict)
    started_at: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all runs."""
        return verdict_of(run.verdict for run in self.runs)
