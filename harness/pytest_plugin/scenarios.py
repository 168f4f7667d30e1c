"""Scenario files as tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.history.records import NodeKind
from harness.pytest_plugin.exploration import explore_scenario
from harness.pytest_plugin.limits import limits_of
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.backends.port import Backend
    from harness.results.runs import RunResult

__all__ = ["ScenarioFile", "ScenarioItem", "ScenarioNotPassed", "close_backends"]


class ScenarioFile(pytest.File):
    """A scenario file: a test, or two with --harness-node both."""

    def collect(self) -> Iterator[pytest.Item]:
        """Make the tests; a mistake in the file is an error of collection."""
        from harness.runs.scenarios import scenario_at  # noqa: PLC0415 - not in every test run

        system = self.config.getoption("--harness-system")
        try:
            scenario = scenario_at(str(self.path), system=system)
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        asked = self.config.getoption("--harness-node")
        searches = self.config.getoption("--harness-explore") or (
            self.config.getoption("--harness-replay") is not None
        )
        nodes = [NodeKind.SIMULATED, NodeKind.LIVE] if asked == "both" and not searches else []
        if not nodes:
            node = NodeKind.SIMULATED if asked == "both" else NodeKind(asked)
            yield ScenarioItem.from_parent(self, name=scenario.name, scenario=scenario, node=node)
        for node in nodes:
            name = f"{scenario.name}[{node.value}]"
            yield ScenarioItem.from_parent(self, name=name, scenario=scenario, node=node)


class ScenarioItem(pytest.Item):
    """One run of one scenario, on one kind of node."""

    def __init__(self, *, scenario: Any, node: NodeKind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._scenario = scenario
        self._node = node
        if node is NodeKind.LIVE:
            self.add_marker(pytest.mark.harness_live)

    def runtest(self) -> None:
        """Run the scenario, or search it; a verdict that is not PASSED fails the test."""
        asked = self.config.getoption
        if asked("--harness-explore") or asked("--harness-replay") is not None:
            found = explore_scenario(self._scenario, self)
            if found is not None:
                self.user_properties += [("runs", found.runs), ("distinct", found.distinct)]
            return
        from harness.runs.runner import run_one  # noqa: PLC0415 - not in every test run
        from harness.runs.scenarios import system_of  # noqa: PLC0415

        system = asked("--harness-system")
        needs_node = system_of(self._scenario, system).needs_node
        profile = asked("--harness-profile")
        limits = limits_of(self.config)
        backend = _backend(self._node, needs_node=needs_node, profile=profile, limits=limits)
        result = run_one(self._scenario, backend, system=system, seed=asked("--harness-seed"))
        self.user_properties += [
            ("seed", result.seed),
            ("node", result.node),
            ("digest", result.digest),
        ]
        if result.verdict is not Verdict.PASSED:
            raise ScenarioNotPassed(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what was expected and seen, and the line that replays it."""
        if isinstance(excinfo.value, ScenarioNotPassed):
            return render_result(excinfo.value.result)
        if isinstance(excinfo.value, HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the test by its claim."""
        return self.path, None, f"{self.name}: {self._scenario.claim}"


class ScenarioNotPassed(AssertionError):
    """A scenario whose verdict is not PASSED."""

    def __init__(self, result: RunResult) -> None:
        super().__init__(render_result(result))
        self.result = result


# What scenarios were run on: where, and whether it has a node; workers share one container.
_BACKENDS: dict[tuple[NodeKind, bool], Backend] = {}


def _backend(
    node: NodeKind, *, needs_node: bool, profile: str | None, limits: dict[str, Any]
) -> Backend:
    from harness.backends.port import Limits  # noqa: PLC0415 - not in every test run
    from harness.runs.opening import open_backend  # noqa: PLC0415 - as above
    from harness.simulated.world.profile_reading import profile_named  # noqa: PLC0415

    if (node, needs_node) not in _BACKENDS:
        _BACKENDS[node, needs_node] = open_backend(
            node,
            needs_node=needs_node,
            profile=profile_named(profile),
            limits=Limits(**limits),
        )
    return _BACKENDS[node, needs_node]


def close_backends() -> None:
    """Give back what was opened."""
    while _BACKENDS:
        _BACKENDS.popitem()[1].close()
