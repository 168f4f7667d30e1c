"""The folder of the benchmarks, from a small session of pytest with the real recorder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = """\
import pytest
from tests.report.document import Kind

CLAIM = {"bound": "at most 2", "section": "Speed"}


def by_turns(recorded, rival):
    return recorded.by_turns("a hop", rival, theirs=lambda: 2.0, ours=lambda: 1.0, rounds=7)


@pytest.mark.claim(text="It is fast.", **CLAIM)
def test_passes(recorded):
    assert by_turns(recorded, "asyncio") == (2.0, 1.0)


@pytest.mark.claim(text="It is faster than nobody.", **CLAIM)
def test_missing(recorded):
    by_turns(recorded, "no-such-rival")


@pytest.mark.claim(text="It fails in one case of two.", **CLAIM)
@pytest.mark.parametrize("case", [1, 2])
def test_fails(case):
    assert case == 1


def test_timed(benchmark):
    benchmark.pedantic(lambda: None, rounds=3)
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Run the small session with the project's conftest; return its code, output and folder."""
    place = tmp_path_factory.mktemp("session")
    shutil.copy(ROOT / "tests" / "benchmarks" / "conftest.py", place)
    (place / "test_small.py").write_text(BENCHMARKS, encoding="utf-8")

    # These tests may themselves be run by a worker of pytest-xdist.
    environment = {key: value for key, value in os.environ.items() if "PYTEST" not in key}

    def run(*arguments):
        out = place / f"out-{len(list(place.iterdir()))}"
        out.mkdir()
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        done = subprocess.run(
            [
                *command,
                "--report-folder",
                str(out),
                f"--benchmark-json={out}/timings.json",
                *arguments,
            ],
            cwd=place,
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert (out / "report.json").exists(), done.stdout + done.stderr
        return done, json.loads((out / "report.json").read_text()), out

    return run


@pytest.fixture(scope="module")
def all_of_it(found):
    return found()


def test_each_claim_has_its_verdict(all_of_it):
    done, report, _ = all_of_it
    verdicts = {one["claim"]: one["verdict"] for one in report["claims"]}
    assert verdicts == {
        "It is fast.": "passed",
        "It is faster than nobody.": "unknown",
        "It fails in one case of two.": "failed",
    }
    assert done.returncode == 1


def test_a_claim_of_many_cases_counts_them_and_says_what_failed(all_of_it):
    (one,) = (c for c in all_of_it[1]["claims"] if "two" in c["claim"])
    assert one["shown"][0]["how_often"] == "1 of 2 cases passed"
    assert "assert 2 == 1" in one["shown"][0]["why"]


def test_a_rival_that_is_missing_is_not_run_and_ours_is_measured(all_of_it):
    (section,) = (one for one in all_of_it[1]["sections"] if one["title"] == "Speed")
    rival = next(one for one in section["figures"] if one["side"] == "no-such-rival")
    assert (rival["value"], rival["samples"]) == (None, 0)
    assert rival["why_not"] == "not run: no-such-rival is not installed"
    ours = [one for one in section["figures"] if one["side"].startswith("this harness on CPython")]
    assert [(one["value"], one["samples"]) for one in ours] == [(1.0, 7), (1.0, 7)]


def test_a_ratio_of_pairs_has_its_interval(all_of_it):
    (section,) = (one for one in all_of_it[1]["sections"] if one["title"] == "Speed")
    (ratio,) = (one for one in section["figures"] if one["kind"] == "ratio")
    assert (ratio["value"], ratio["low"], ratio["high"], ratio["samples"]) == (2.0, 2.0, 2.0, 7)


def test_a_missing_rival_alone_is_not_green(found):
    done, report, _ = found("-k", "passes or missing")
    assert report["verdict"] == "unknown"
    assert done.returncode == 3


def test_the_timings_of_pytest_benchmark_are_told_and_stay_readable_by_its_tools(all_of_it):
    _, report, out = all_of_it
    section = report["sections"][-1]
    assert {one["samples"] for one in section["figures"]} == {3}
    compare = [sys.executable, "-m", "pytest_benchmark", "compare", str(out / "timings.json")]
    done = subprocess.run(compare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "test_timed" in done.stdout
