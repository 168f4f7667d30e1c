"""What searching adds to the pytest plugin: regressions as tests, the fixture ``explore``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BadInput, FailureFound, HarnessError
from harness.pytest_plugin.limits import limits_of
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from harness.results.explorations import Exploration
    from harness.scenario.model import Scenario

__all__ = [
    "Explore",
    "RegressionFile",
    "RegressionItem",
    "ReplayWatch",
    "check_options",
    "explore_scenario",
]

# The property of a test that repeated the failure of --harness-replay.
REPLAYED = "harness_replayed"


def check_options(asked: dict[str, str | None]) -> None:
    """Check what only the harness can: a failure's token, a strategy's name, a latency profile.

    Raises:
        pytest.UsageError: One of them breaks its rule.
    """
    from harness.search.failures.token import Token  # noqa: PLC0415 - not in every test run
    from harness.search.strategies.portfolio import strategy_named  # noqa: PLC0415
    from harness.simulated.world.profile_reading import profile_named  # noqa: PLC0415

    checks: dict[str, Callable[[str], object]] = {
        "replay": Token.read,
        "explore-strategy": partial(strategy_named, seed=0),
        "profile": profile_named,
    }
    for name, text in asked.items():
        if text is not None:
            try:
                checks[name](text)
            except BadInput as error:
                rule = str(error).removeprefix("--strategy: ").removeprefix("--profile: ")
                raise pytest.UsageError(f"--harness-{name}: {rule}") from error


class ReplayWatch:
    """Fails a session in which no test repeated the failure that --harness-replay names.

    Each test that it is not of is skipped, so without this a token of another project is green.
    """

    def __init__(self, token: str) -> None:
        from harness.search.failures.token import Token  # noqa: PLC0415 - not in every test run

        self._subject = Token.read(token).subject
        self._in_vain = False
        self._repeated = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look for the property, which a worker's report brings along."""
        self._repeated |= any(name == REPLAYED for name, _ in report.user_properties)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail what would have been green; a worker sees only its share."""
        config = session.config
        if hasattr(config, "workerinput") or config.option.collectonly or self._repeated:
            return
        self._in_vain = True
        if session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why, and what to do."""
        if self._in_vain:
            terminalreporter.write_line(
                f"harness: --harness-replay: nothing was repeated: it is of {self._subject}, which"
                " no test here searches; run pytest where that was found, with the same tests",
                red=True,
            )


def explore_scenario(scenario: Scenario, item: pytest.Item) -> Exploration | None:
    """Search a scenario as the options ask; None if it only repeats a failure.

    Raises:
        FailureFound: It fails in some order, or in that of --harness-replay.
        BadInput: An option breaks its rule.
    """
    config = item.config
    token = config.getoption("--harness-replay")
    if token is not None:
        _replay(scenario, token, item)
        return None
    from harness.api.scenarios import explore_scenario as explore  # noqa: PLC0415
    from harness.report.formats.search_terminal import search_lines  # noqa: PLC0415

    if config.getoption("--harness-node") != "simulated":
        raise BadInput(
            '--harness-explore: --harness-node must be "simulated":'
            " a real node cannot be told an order"
        )
    found = explore(
        scenario.path,
        runs=config.getoption("--harness-explore-runs"),
        strategy=config.getoption("--harness-explore-strategy") or "portfolio",
        seed=config.getoption("--harness-seed"),
        adversarial=config.getoption("--harness-explore-adversarial"),
        cancel=config.getoption("--harness-explore-cancel"),
        allow=config.getoption("--harness-explore-allow") or (),
        **limits_of(config),
        system=config.getoption("--harness-system"),
        profile=config.getoption("--harness-profile"),
    )
    if found.failures:
        raise FailureFound("\n".join(search_lines(found)))
    if found.verdict is Verdict.UNKNOWN:
        why = found.could_not_run or found.not_judged_text or "\n".join(found.health_texts)
        raise FailureFound(f"nothing is known: {why}")
    return found


def _replay(scenario: Scenario, text: str, item: pytest.Item) -> None:
    from harness.report.text.replay_lines import replay_lines  # noqa: PLC0415
    from harness.search.failures.replaying import replay, subject_of_token  # noqa: PLC0415 - not in every test run
    from harness.search.failures.token import Token  # noqa: PLC0415

    token = Token.read(text)
    if not token.subject.endswith(".toml") or Path(token.subject).name != Path(scenario.path).name:
        pytest.skip(f"--harness-replay is of {token.subject}")
    item.user_properties.append((REPLAYED, token.subject))
    asked = item.config.getoption
    system, profile = asked("--harness-system"), asked("--harness-profile")
    limits = limits_of(item.config)
    found = replay(token, subject_of_token(token, system=system, profile=profile, **limits))
    if found.exit_code:
        raise FailureFound("\n".join(replay_lines(found.result)))


class RegressionFile(pytest.File):
    """A failure that was found once: one test, that it does not come back."""

    def collect(self) -> Iterator[pytest.Item]:
        """Make the one test; a broken file is an error of collection."""
        from harness.search.failures.regressions import read_regression  # noqa: PLC0415 - seldom needed

        try:
            regression = read_regression(self.path)
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        yield RegressionItem.from_parent(self, name=self.path.stem, regression=regression)


class RegressionItem(pytest.Item):
    """The replay of one regression."""

    def __init__(self, *, regression: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._regression = regression

    def runtest(self) -> None:
        """Replay it on the system as it is."""
        from harness.report.formats.search_terminal import failure_lines  # noqa: PLC0415
        from harness.search.failures.regressions import replay_regression  # noqa: PLC0415 - seldom needed

        if self.config.getoption("--harness-replay") is not None:
            pytest.skip("--harness-replay is of something else")
        failure = replay_regression(
            self._regression, system=self.config.getoption("--harness-system")
        )
        if failure is not None:
            raise FailureFound("\n".join(failure_lines(failure)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the failure itself, without the harness's own frames."""
        if isinstance(excinfo.value, HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the test by what once was wrong."""
        return self.path, None, f"{self.name}: {self._regression.cause}"


class Explore:
    """Searches the orders of a coroutine function; what the fixture ``explore`` gives."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._config = request.config
        self._properties = request.node.user_properties

    def __call__(
        self,
        main: Callable[[], Coroutine[Any, Any, Any]],
        *,
        replay: str | None = None,
        **options: Any,
    ) -> Exploration:
        """Search as ``harness.explore`` does; the session's options are the defaults.

        Raises:
            FailureFound: It fails in some order; the message has the schedule and the token.
            LimitReached: Nothing is known: a run was ended at a limit.
        """
        __tracebackhide__ = True
        from harness.api.exploration import explore, program_name  # noqa: PLC0415 - seldom needed
        from harness.search.failures.token import Token  # noqa: PLC0415

        asked = self._config.getoption
        token = replay or asked("--harness-replay")
        if replay is None and token is not None:
            of = Token.read(token).subject
            if of != program_name(main):
                pytest.skip(f"--harness-replay is of {of}")
            self._properties.append((REPLAYED, of))
        given = {
            "runs": asked("--harness-explore-runs"),
            "strategy": asked("--harness-explore-strategy"),
            "adversarial": asked("--harness-explore-adversarial") or None,
            "cancel": asked("--harness-explore-cancel") or None,
            "allow": asked("--harness-explore-allow"),
            "seed": asked("--harness-seed"),
        }
        given |= limits_of(self._config)
        chosen = {name: value for name, value in given.items() if value is not None}
        if "seconds" in options:
            chosen.pop("runs", None)
        try:
            return explore(main, replay=token, **{**chosen, **options})
        except HarnessError as error:
            text = str(error)
        pytest.fail(text, pytrace=False)
