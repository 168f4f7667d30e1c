"""The hooks of the pytest plugin; the wheel has this file at its top, as ``mosaic_harness_plugin``.

pytest loads it in every project of an environment that the harness is installed in. So it imports
nothing of ``harness`` before a test needs it: a project with a folder ``harness`` of its own runs
its tests as ever, and is told in one line where it needs this one.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = []

SCENARIOS = "scenarios"
REGRESSIONS = "regressions"
# Each scenario file has the first key, each regression the second.
MARKS = {SCENARIOS: {"claim", "phase", "check", "users"}, REGRESSIONS: {"token", "scenario"}}
RUNS_DEFAULT = 200
RANDOM_TEXTS = ", sets of texts in random order (PYTHONHASHSEED=0 fixes it)"
SEED_MAX = 2**64 - 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, which all begin with --harness-."""
    group = parser.getgroup("harness", "scenarios on a simulated or a real node")
    group.addoption(
        "--harness-node",
        default="simulated",
        choices=["simulated", "live", "both"],
        help="where scenario files are run; both: each is two tests (default: simulated)",
    )
    group.addoption(
        "--harness-profile",
        default=None,
        metavar="NAME|FILE",
        help="what simulated latencies are drawn from (default: nominal)",
    )
    group.addoption(
        "--harness-seed",
        type=_whole_number(0, SEED_MAX),
        default=0,
        metavar="N",
        help="seed of scenarios, simulate and explore (default: 0)",
    )
    group.addoption(
        "--harness-steps-max",
        type=_whole_number(1, None),
        default=None,
        metavar="N",
        help="steps that a simulated run may take (default: 10000000, and 2000000 in a search)",
    )
    group.addoption(
        "--harness-system",
        default=None,
        metavar="IMPORT",
        help='system under test, "package.module:attribute"',
    )
    _add_search_options(group)


def _add_search_options(group: pytest.OptionGroup) -> None:
    group.addoption(
        "--harness-explore",
        action="store_true",
        help="search the orders of scenario files for a failure",
    )
    group.addoption(
        "--harness-explore-runs",
        type=_whole_number(1, None),
        default=None,
        metavar="N",
        help=f"runs for each scenario, and for each explore() (default: {RUNS_DEFAULT})",
    )
    group.addoption(
        "--harness-explore-strategy",
        default=None,
        metavar="NAME",
        help="how orders are chosen (default: portfolio)",
    )
    group.addoption(
        "--harness-explore-adversarial",
        action="store_true",
        help="also orders that asyncio never produces",
    )
    group.addoption(
        "--harness-explore-cancel",
        action="store_true",
        help="also cancel each task at each of its awaits",
    )
    group.addoption(
        "--harness-explore-allow",
        action="append",
        choices=["one_order"],
        help="a health check of a search that may fail",
    )
    group.addoption(
        "--harness-replay",
        default=None,
        metavar="TOKEN",
        help="repeat one failure that was found; tests that it is not of are skipped",
    )


def _whole_number(at_least: int, at_most: int | None) -> Callable[[str], int]:
    up_to = "on" if at_most is None else f"to {at_most}"

    def read(text: str) -> int:
        # int() refuses very long texts with a message of its own.
        number = int(text) if text.isdecimal() and len(text) <= len(str(SEED_MAX)) else -1
        if number < at_least or (at_most is not None and number > at_most):
            msg = f'must be a whole number from {at_least} {up_to}, got "{text}"'
            raise argparse.ArgumentTypeError(msg)
        return number

    return read


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of live scenarios; check the options that need the harness for that."""
    config.addinivalue_line("markers", "harness_live: a scenario that runs on a real node")
    if _starts_workers(config) and not os.environ.get("PYTHONHASHSEED"):
        # They are started with this environment: so all hash texts in one way.
        os.environ["PYTHONHASHSEED"] = "0"
    checked = ("replay", "explore-strategy", "profile")
    asked = {name: config.getoption(f"--harness-{name}") for name in checked}
    if asked["profile"] is not None and config.getoption("--harness-node") == "live":
        msg = "--harness-profile: is for simulated runs; leave it out with --harness-node live"
        raise pytest.UsageError(msg)
    if any(value is not None for value in asked.values()):
        exploration = _part("exploration", pytest.UsageError)
        exploration.check_options(asked)
        if asked["replay"] is not None:
            config.pluginmanager.register(exploration.ReplayWatch(asked["replay"]))


def pytest_unconfigure() -> None:
    """Close the backends that scenarios were run on."""
    if (scenarios := sys.modules.get("harness.pytest_plugin.scenarios")) is not None:
        scenarios.close_backends()


def pytest_report_header(config: pytest.Config) -> str:
    """Say the seed first."""
    asked = config.getoption
    profile = asked("--harness-profile")
    used = "" if profile is None else f", profile {profile}"
    fixed = not sys.flags.hash_randomization or _starts_workers(config)
    hashed = "" if fixed or os.environ.get("PYTHONHASHSEED", "").isdecimal() else RANDOM_TEXTS
    return f"harness: node {asked('--harness-node')}, seed {asked('--harness-seed')}{used}{hashed}"


def _starts_workers(config: pytest.Config) -> bool:
    """Tell whether xdist will run the tests in processes of its own."""
    return bool(getattr(config.option, "tx", None) or getattr(config.option, "numprocesses", None))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect scenario files that lie in a folder called scenarios, or that were named by hand."""
    if file_path.suffix != ".toml":
        return None
    named = any(
        Path(str(argument).split("::")[0]).resolve() == file_path for argument in parent.config.args
    )
    found_once = file_path.parent.name == REGRESSIONS
    kind = REGRESSIONS if found_once else SCENARIOS
    if not named and (SCENARIOS not in file_path.parent.parts or not _is_ours(file_path, kind)):
        return None
    if found_once:
        found = _part("exploration", parent.CollectError).RegressionFile
    else:
        found = _part("scenarios", parent.CollectError).ScenarioFile
    collector: pytest.Collector = found.from_parent(parent, path=file_path)
    return collector


def _is_ours(path: Path, kind: str) -> bool:
    """Whether a file is meant as one of ours: other tools, too, keep TOML in such folders."""
    try:
        return not MARKS[kind].isdisjoint(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError):
        # It may be meant so, and is broken: that is told when it is read.
        return True


@pytest.fixture
def simulate(request: pytest.FixtureRequest) -> Any:
    """Run a coroutine function in virtual time: ``simulate(main)``, with --harness-seed."""
    return _part("simulate", _failed).Simulate(request.config)


@pytest.fixture
def explore(request: pytest.FixtureRequest) -> Any:
    """Search a coroutine function's orders: ``explore(main, runs=500)``, with --harness-seed."""
    return _part("exploration", _failed).Explore(request)


def _failed(message: str) -> BaseException:
    return pytest.fail.Exception(message, pytrace=False)


def _part(name: str, error: Callable[[str], BaseException]) -> Any:
    """Import a part of the harness; if another package hides it, raise ``error`` in one line."""
    wanted = f"harness.pytest_plugin.{name}"
    try:
        return importlib.import_module(wanted)
    except ModuleNotFoundError as missing:
        if missing.name is None or not f"{wanted}.".startswith(f"{missing.name}."):
            raise
    spec = find_spec("harness")
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    place = next((one for one in places if one is not None), "something")
    raise error(
        f"mosaic-harness: {place} hides the installed package harness, which this needs; rename"
        " that one, or keep its parent folder off sys.path"
    )
