"""A search on a Dask cluster of this machine: the same result, and nothing lost if it goes."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
from distributed import Client, LocalCluster

from harness.errors import CouldNotRun
from harness.search.pieces import dask_piece
from harness.search.pieces.dask_cluster import dask_work
from harness.search.pieces.piece_process import run_piece_apart
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import run_search
from harness.search.terms import SearchTerms
from tests.harness.search.silent_watcher import Silent
from tests.waiting import LIMIT_S, wait_until


@contextmanager
def own_cluster(folder):
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
        # Not where all temporary files go: it does not remove the folder around its workers'.
        local_directory=str(folder),
    ) as found:
        yield found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return a cluster for the tests that leave it as it was."""
    with own_cluster(tmp_path_factory.mktemp("scratch")) as found:
        yield found


@pytest.fixture
def mortal(shop):
    """Return a cluster for one test, which may close it."""
    with own_cluster(shop / "scratch") as found:
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


def test_a_cluster_that_goes_away_is_3_and_keeps_what_was_found(mortal, begin, harness, shop):
    # So many that the cluster is gone before they are done, however long it takes to go.
    asked = ("explore", "--runs", "400000", "--resume", "j")
    process = begin(*asked, "--dask", mortal.scheduler_address, "--json", "out.json")
    journal = shop / "j" / "journal.ndjson"
    wait_until(lambda: journal.exists() and b'"done"' in journal.read_bytes(), process=process)
    mortal.close()
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 3, err
    assert f"--dask: the cluster at {mortal.scheduler_address} went away" in err
    assert "what was found until then is kept; the same command goes on with it" in err
    assert "success_share" in out
    assert (shop / "out.json").exists()
    resumed = harness(*asked, "--first")
    assert "from the journal: " in resumed.stderr


def lines_of(shop):
    path = shop / "j" / "journal.ndjson"
    whole = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in whole]


def has(lines, what):
    return any(what in line for line in lines)


def at_work(cluster, begin, shop):
    """Begin a search whose pieces take long, and wait until one has told of a failure."""
    process = begin(*LONG, "--dask", cluster.scheduler_address)
    wait_until(lambda: has(lines_of(shop), "failure"), process=process)
    # It is told of while its piece is under way.
    assert not has(lines_of(shop), "done")
    return process


LONG = ("explore", "--time", "80", "--jobs", "1", "--resume", "j")


def test_pieces_on_an_interrupted_cluster_are_cut_short_and_gone_on_with(
    cluster, begin, harness, shop
):
    process = at_work(cluster, begin, shop)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, err
    assert "interrupted; the same command goes on with it" in err
    assert "success_share" in out
    cut = [line["cut_short"] for line in lines_of(shop) if "cut_short" in line]
    # The other piece may not have begun.
    assert 1 <= len(cut) <= 2
    assert all(one["exploration"]["runs"] > 0 for one in cut)
    assert not list((shop / "j" / "running").iterdir())
    done = harness(*LONG, "--first")
    runs = sum(one["exploration"]["runs"] for one in cut)
    assert (
        f"0 finished pieces of work and {len(cut)} begun, {runs:,} runs, 1 failure" in done.stderr
    )


def test_a_failure_told_by_a_piece_outlives_the_cluster(mortal, begin, shop):
    process = at_work(mortal, begin, shop)
    mortal.close()
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 3, err
    assert "went away" in err
    assert "success_share" in out
    assert not has(lines_of(shop), "done")
    assert has(lines_of(shop), "failure")


class Interrupting(Silent):
    """Interrupts the search once it is told of runs."""

    def __init__(self):
        self.message = lambda line: None  # type: ignore[method-assign]
        self.most = 0

    def ran(self, runs, distinct, failures):
        del distinct, failures
        if runs and not self.most:
            os.kill(os.getpid(), signal.SIGINT)
        self.most = max(self.most, runs)


def test_how_far_a_piece_is_is_told_while_it_works(cluster, pay, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr("harness.search.pieces.workers.STOP_S", 100.0)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watcher = Interrupting()
    plan = SearchPlan(scenarios=(pay,), seconds=80.0, jobs=1)
    try:
        end = run_search(plan, watcher, work=dask_work(cluster.scheduler_address))
    finally:
        signal.signal(signal.SIGINT, before)
    assert isinstance(end.ended_by, KeyboardInterrupt)
    assert end.report.explorations[0].runs >= watcher.most > 0


def test_what_others_tell_on_the_cluster_is_not_taken_for_the_searchs(cluster, pay):
    told = []

    class Telling(Silent):
        def message(self, line):
            told.append(line)

    plan = SearchPlan(scenarios=(pay,), runs=100, jobs=1)
    work = dask_work(cluster.scheduler_address)

    def beside_another(state):
        with Client(cluster.scheduler_address, set_as_default=False) as other:
            other.log_event(dask_piece.TOPIC, {"search": other.id, "note": "{}"})
            work(state)

    end = run_search(plan, Telling(), work=beside_another)
    assert end.report.explorations[0].runs == 100
    assert told == []


def test_a_piece_of_a_stopped_search_is_not_begun(pay, monkeypatch):
    monkeypatch.setattr(dask_piece, "_STOPPED", set())
    (piece,) = SearchPlan(scenarios=(pay,), runs=100, jobs=1).pieces()
    dask_piece.stop_pieces("one")
    assert dask_piece.run_piece(piece, ".", "one") is None


def test_a_piece_apart_tells_its_failure_and_ends_when_it_is_to(pay, shop):
    (piece,) = SearchPlan(scenarios=(pay,), runs=100, jobs=1).pieces()
    lines = []
    found = run_piece_apart(
        replace(piece, runs=None, seconds=60.0),
        str(shop),
        tell=lambda line: lines.append(json.loads(line)),
        stopped=lambda: has(lines, "failure") and has(lines, "ran"),
    )
    assert found.cut_short
    assert found.exploration.runs >= max(line["ran"][0] for line in lines if "ran" in line) > 0
    assert [line["failure"]["cause"] for line in lines if "failure" in line] == [
        one.cause for one in found.exploration.failures
    ]


def test_a_piece_apart_whose_process_dies_is_told_with_its_code(pay, shop):
    plan = SearchPlan(
        scenarios=(pay,), runs=100, jobs=1, terms=SearchTerms(system="exploring_shop:Dies")
    )
    with pytest.raises(CouldNotRun, match="its process ended with -9"):
        run_piece_apart(plan.pieces()[0], str(shop), tell=print, stopped=bool)


def test_without_the_extra_it_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CouldNotRun, match=r"pip install 'mosaic-harness\[dask\]'"):
        dask_work("tcp://127.0.0.1:8786")
