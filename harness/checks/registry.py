"""The registry of checks: each is a pure function of a history and its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.checks.kind import CheckKind
    from harness.history.records import History
    from harness.results.verdict import CheckResult

__all__ = ["ALWAYS_ON", "CHECKS", "RENAMED", "ResolvedCheck"]

# Made even if a scenario does not list them.
ALWAYS_ON = ("no_deadlock", "outcomes", "end_state", "no_leaks")


class _Registry(Mapping[str, "CheckKind"]):
    """The checks by name. A scenario uses few of them: each is imported when it is asked for."""

    # A check's module has its name, and says what it is as ``KIND``.
    names = (
        "no_deadlock", "outcomes", "end_state", "no_leaks",
        "single_spawn", "same_result", "distinct_results", "sees_exactly_own",
        "ends_before", "overlap", "peak_in_flight", "commands_in_turn", "success_share",
        "speedup", "elapsed", "latency", "no_lock_across_await",
        "no_blocking_calls", "always", "eventually", "sometimes",
        "linearizable", "result",
    )  # fmt: skip

    def __getitem__(self, name: str) -> CheckKind:
        if name not in self.names:
            raise KeyError(name)
        kind: CheckKind = import_module(f"{__package__}.{name}").KIND
        return kind

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


CHECKS = _Registry()

# Former names of checks, and their present names.
RENAMED = {"distinct_accounts": "distinct_results"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedCheck:
    """A check of a scenario with its parameters on a backend.

    ``asked``: the scenario lists it under ``[check]``; False if it is only there as always on.
    """

    name: str
    parameters: Any
    asked: bool = True

    @property
    def kind(self) -> CheckKind:
        """The entry of the check in the registry."""
        return CHECKS[self.name]

    def __call__(self, history: History) -> CheckResult:
        """Judge the history."""
        return self.kind.check(history, self.parameters)
