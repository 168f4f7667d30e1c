"""The benchmarks' folder for reviewers: ``--report-folder DIR`` writes what they found there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.recording import Benchmarks, Recorded

_KEY = pytest.StashKey[Benchmarks]()


def pytest_addoption(parser):
    group = parser.getgroup("benchmarks of this project")
    group.addoption("--report-folder", metavar="DIR", help="write a folder for reviewers here")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "claim(text, bound, section): what a benchmark claims, and what must be reached"
    )
    config.stash[_KEY] = Benchmarks()


def pytest_itemcollected(item):
    mark = item.get_closest_marker("claim")
    if mark is not None:
        item.config.stash[_KEY].collected(item.originalname, item.nodeid, **mark.kwargs)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    item.config.stash[_KEY].reported(item.nodeid, report)
    return report


@pytest.fixture
def recorded(request):
    """Keep the figures of a benchmark for the folder."""
    mark = request.node.get_closest_marker("claim")
    return Recorded(request.config.stash[_KEY], mark.kwargs["section"])


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config, benchmarks, output_json):
    del benchmarks
    config.stash[_KEY].timed(output_json["benchmarks"])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    # What is unknown is not green.
    if exitstatus == 0 and session.config.getoption("--report-folder") is not None:
        session.exitstatus = session.config.stash[_KEY].exit_code()


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter, config):
    # Once pytest-benchmark has written what it measured.
    yield
    folder = config.getoption("--report-folder")
    if folder is not None:
        for path in config.stash[_KEY].write(Path(folder)):
            terminalreporter.write_line(f"wrote {path}")
