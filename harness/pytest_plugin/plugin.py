"""The pytest plugin: scenario files as tests, and the virtual loop for anybody's own tests."""

from __future__ import annotations

import argparse
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.choices.randomness import SEED_MAX
from harness.errors import HarnessError
from harness.history.records import NodeKind
from harness.pytest_plugin.exploration import Explore, RegressionFile, add_options, explore_scenario
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from harness.backends.port import Backend
    from harness.results.runs import RunResult

__all__ = ["ScenarioFile", "ScenarioItem"]

FOLDER = "scenarios"
REGRESSIONS = "regressions"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --harness-node, --harness-seed and --harness-system, and the options of a search."""
    group = parser.getgroup("harness", "scenarios on a simulated or a real node")
    group.addoption(
        "--harness-node",
        default=NodeKind.SIMULATED.value,
        choices=[kind.value for kind in NodeKind],
        help="where scenario files are run (default: simulated)",
    )
    group.addoption(
        "--harness-seed",
        type=_seed,
        default=0,
        help="seed of scenarios and of simulate (default: 0)",
    )
    group.addoption(
        "--harness-system", default=None, help='system under test, "package.module:attribute"'
    )
    add_options(group)


def _seed(text: str) -> int:
    seed = int(text) if text.isdecimal() and len(text) <= len(str(SEED_MAX)) else -1
    if not 0 <= seed <= SEED_MAX:
        msg = f'must be a whole number from 0 to {SEED_MAX}, got "{text}"'
        raise argparse.ArgumentTypeError(msg)
    return seed


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect TOML files that lie in a folder called scenarios, or that were named by hand."""
    named = any(
        Path(str(argument).split("::")[0]).resolve() == file_path for argument in parent.config.args
    )
    if file_path.suffix == ".toml" and (named or FOLDER in file_path.parent.parts):
        found_once = file_path.parent.name == REGRESSIONS
        kind = RegressionFile if found_once else ScenarioFile
        return kind.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A scenario file: one test."""

    def collect(self) -> Iterator[pytest.Item]:
        """Make the one test; a mistake in the file is an error of collection."""
        from harness.scenario.reading import read_scenario  # noqa: PLC0415 - not in every test run

        try:
            scenario = read_scenario(self.path)
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        yield ScenarioItem.from_parent(self, name=scenario.name, scenario=scenario)


class ScenarioItem(pytest.Item):
    """One run of one scenario."""

    def __init__(self, *, scenario: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._scenario = scenario
        if self.config.getoption("--harness-node") == NodeKind.LIVE.value:
            self.add_marker(pytest.mark.harness_live)

    def runtest(self) -> None:
        """Run the scenario, or search it; a verdict that is not PASSED fails the test."""
        asked = self.config.getoption
        if asked("--harness-explore") or asked("--harness-replay") is not None:
            found = explore_scenario(self._scenario, self.config)
            if found is not None:
                self.user_properties += [("runs", found.runs), ("distinct", found.distinct)]
            return
        from harness.runs.loading import system_path_of  # noqa: PLC0415 - not in every test run
        from harness.runs.runner import run_scenario  # noqa: PLC0415
        from harness.systems.loading import load_system  # noqa: PLC0415

        path = system_path_of(self._scenario, asked("--harness-system"))
        system = load_system(path)
        result = run_scenario(
            self._scenario,
            _backends(self.config).open(needs_node=system.needs_node),
            system=system,
            system_path=path,
            seed=self.config.getoption("--harness-seed"),
        )
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


class _Backends:
    """The backends of a test session, opened when first needed; workers share one container."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._open: dict[bool, Backend] = {}

    def open(self, *, needs_node: bool) -> Backend:
        """Open the backend that --harness-node asks for."""
        from harness.runs.opening import open_backend  # noqa: PLC0415 - not in every test run

        if needs_node not in self._open:
            self._open[needs_node] = open_backend(self._node, needs_node=needs_node)
        return self._open[needs_node]

    def close(self) -> None:
        """Give back what was opened."""
        for backend in self._open.values():
            backend.close()
        self._open.clear()


BACKENDS = pytest.StashKey[_Backends]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of live scenarios."""
    config.addinivalue_line("markers", "harness_live: a scenario that runs on a real node")
    config.stash[BACKENDS] = _Backends(config.getoption("--harness-node"))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the backends."""
    if (backends := config.stash.get(BACKENDS, None)) is not None:
        backends.close()


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed first."""
    asked = config.getoption
    return f"harness: node {asked('--harness-node')}, seed {asked('--harness-seed')}"


def _backends(config: pytest.Config) -> _Backends:
    return config.stash[BACKENDS]


class Simulate:
    """Runs a coroutine function on a virtual loop; what the fixture ``simulate`` gives."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    @cached_property
    def _run(self) -> Callable[..., Any]:
        from harness.simulated.simulation import run  # noqa: PLC0415 - only where it is used

        return run

    def __call__(
        self, main: Callable[[], Coroutine[Any, Any, Any]], *, seed: int | None = None
    ) -> Any:
        """Run ``main()`` to its end in virtual time and return what it returns.

        Raises:
            Deadlock: Nothing can go on; the message says who waits for what.
        """
        return self._run(main, seed=self.seed if seed is None else seed)


@pytest.fixture
def simulate(request: pytest.FixtureRequest) -> Simulate:
    """Run coroutines in virtual time: ``simulate(main)`` with the session's --harness-seed."""
    return Simulate(request.config.getoption("--harness-seed"))


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Explore:
    """Search the orders of coroutines: ``explore(main, runs=500)``, with --harness-seed."""
    return Explore(request.config)
