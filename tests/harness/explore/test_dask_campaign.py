"""A campaign on a Dask cluster of this machine: the same result, and nothing lost if it goes."""

from __future__ import annotations

import sys
import time

import pytest
from distributed import LocalCluster

from harness.errors import CouldNotRun
from harness.explore.dask_campaign import dask_work


@pytest.fixture
def cluster(shop):
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as found:
        yield found


def figures(done):
    """Take the summary line without what the machine decides."""
    return done.stdout.splitlines()[-1].split(";")[0]


def test_a_cluster_finds_what_one_process_finds(cluster, harness):
    asked = ("explore", "--runs", "200", "--seed", "3")
    here = harness(*asked, "--jobs", "1")
    there = harness(*asked, "--dask", cluster.scheduler_address)
    assert there.returncode == here.returncode == 1, there.stderr
    assert figures(there) == figures(here)


def test_a_cluster_that_goes_away_is_3_and_keeps_what_was_found(cluster, begin, harness, shop):
    process = begin(
        *("explore", "--runs", "8000", "--dask", cluster.scheduler_address),
        *("--resume", "j", "--json", "out.json"),
    )
    journal = shop / "j" / "journal.ndjson"
    until = time.monotonic() + 60
    while not (journal.exists() and b'"done"' in journal.read_bytes()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)
    cluster.close()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert f"--dask: the cluster at {cluster.scheduler_address} went away" in err
    assert "what was found until then is kept; the same command goes on with it" in err
    assert "success_share" in out
    assert (shop / "out.json").exists()
    resumed = harness("explore", "--runs", "8000", "--resume", "j", "--first")
    assert "from the journal: " in resumed.stderr


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CouldNotRun, match=r"pip install 'mosaic-harness\[dask\]'"):
        dask_work("tcp://127.0.0.1:8786")
