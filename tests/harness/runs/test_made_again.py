"""A run is made again in another process: what is not the same there is told, even if but once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.runs.batch import Batch, read_scenarios, run_batch
from harness.runs.repeated.made_again import again_line, made_again
from tests.command import ROOT
from tests.there import there


class Silent:
    def start(self, total):
        pass

    def finished(self, result):
        pass


@pytest.fixture(scope="module")
def ran():
    """Return a batch of one scenario and its report."""
    path = ROOT / "scenarios" / "same_user_spawns_one_client.toml"
    batch = Batch(scenarios=read_scenarios([path]), jobs=1)
    return batch, run_batch(batch, Silent())


def test_runs_that_are_the_same_have_no_difference(ran):
    batch, report = ran
    (found,) = there(made_again(report, batch))
    assert found.difference is None
    assert "1 the same" in there(again_line([found], report))


def test_a_run_that_was_another_only_the_first_time_is_told(ran):
    batch, report = ran
    (run,) = report.runs
    other = replace(report, runs=(replace(run, digest="another"),))
    (found,) = there(made_again(other, batch))
    assert found.difference == f"digest another | {run.digest}, though not when made once more"
