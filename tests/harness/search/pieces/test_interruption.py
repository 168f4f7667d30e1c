"""An interrupted search: what was run counts, and is gone on with as if nothing had happened."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.cli.explore import exit_code
from harness.cli.progress import summary
from harness.errors import BadInput, CouldNotRun, Terminated
from harness.processes.signals import Interruption
from harness.results.explorations import ExplorationReport
from harness.results.plain_record import from_plain, to_plain
from harness.search.pieces import workers
from harness.search.pieces.dask_cluster import dask_work
from harness.search.pieces.journal import Journal
from harness.search.pieces.notes import SpoolWriter
from harness.search.pieces.piece import PieceFound, run_piece
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import SearchEnd, run_search
from harness.search.pieces.state import SearchState
from harness.search.pieces.workers import Patience
from harness.search.terms import SearchTerms
from tests.harness.search.silent_watcher import Silent
from tests.there import there
from tests.waiting import LIMIT_S, wait_until


class Interrupting(Silent):
    """Sends this process a signal when so many runs have ended."""

    def __init__(self, after):
        self.after = after

    def ran(self, runs, distinct, failures):
        del distinct, failures
        if runs >= self.after:
            self.after = float("inf")
            os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def interruptible():
    """Have Ctrl-C raise, also where the tests run in a script's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def search(plan, watcher=None, folder="j", **how):
    journal = Journal([Path(folder)], plan)
    try:
        return run_search(plan, watcher or Silent(), journal=journal, **how)
    finally:
        journal.close()


def without_times(report):
    return [replace(one, wall_s=0.0) for one in report.explorations]


def stopping_after(runs):
    asked = iter(range(runs))
    return lambda: next(asked, None) is None


def read_again(found):
    return from_plain(PieceFound, json.loads(json.dumps(to_plain(found))), where="test")


@pytest.mark.parametrize(
    ("strategy", "cuts"),
    [
        ("awaits", (1, 1)),
        *((one, (7, 23)) for one in ("portfolio", "random", "pct", "pos", "delays", "holders")),
    ],
)
def test_a_piece_cut_short_twice_finds_what_it_would_have_found(pay, strategy, cuts):
    plan = SearchPlan(scenarios=(pay,), runs=120, terms=SearchTerms(strategy=strategy))
    piece = plan.pieces()[-1]
    whole = run_piece(piece)
    begun = None
    for runs in cuts:
        begun = read_again(run_piece(replace(piece, begun=begun), stopped=stopping_after(runs)))
    assert there(begun).cut_short
    assert there(begun).exploration.runs == sum(cuts)
    found = run_piece(replace(piece, begun=begun))
    of = found.exploration, whole.exploration
    assert replace(of[0], wall_s=0.0) == replace(of[1], wall_s=0.0)
    assert replace(found, exploration=of[1]) == whole


def test_what_a_strategy_had_learned_is_refused_if_it_is_damaged(pay):
    piece = SearchPlan(scenarios=(pay,), runs=50, terms=SearchTerms(strategy="pct")).pieces()[0]
    begun = replace(run_piece(piece, stopped=stopping_after(3)), learned={"deeper": 0})
    with pytest.raises(BadInput, match=r"what pct:3 had learned must be as it was written"):
        run_piece(replace(piece, begun=begun))


def test_what_was_run_until_an_interruption_counts_and_is_not_run_again(pay):
    plan = SearchPlan(scenarios=(pay,), runs=250, jobs=1)
    whole = run_search(plan, Silent())
    first = search(plan, Interrupting(40))
    assert isinstance(first.ended_by, KeyboardInterrupt)
    (one,) = first.report.explorations
    assert (one.runs, len(one.failures)) == (40, 1)
    second = search(plan, Interrupting(170))
    assert (second.report.explorations[0].runs, second.runs_before) == (170, 40)
    last = search(plan)
    assert last.ended_by is None
    assert last.runs_before == 170
    assert without_times(last.report) == without_times(whole.report)


def test_an_interrupted_search_without_a_failure_is_never_green(pay):
    plan = SearchPlan(
        scenarios=(pay,), runs=100, jobs=1, terms=SearchTerms(system="exploring_shop:SoundShop")
    )
    end = search(plan, Interrupting(40))
    (one,) = end.report.explorations
    assert (one.runs, one.could_not_run) == (40, "ended before all of its work was done")


def test_an_interrupted_search_by_time_keeps_what_it_ran_and_goes_on(pay, counted_clock):
    plan = SearchPlan(scenarios=(pay,), seconds=600.0, jobs=1)
    assert search(plan, Interrupting(40)).report.explorations[0].runs == 40
    spent_s = next(counted_clock) / 100
    end = search(replace(plan, seconds=spent_s + 3.0), Interrupting(100_000))
    assert end.ended_by is None
    assert end.runs_before == 40
    assert end.report.explorations[0].runs > 40
    # Of one budget: what the search before took is part of it.
    assert end.report.explorations[0].wall_s == pytest.approx(spent_s + 3.0, abs=0.3)


@pytest.mark.parametrize("system", [None, "exploring_shop:SoundShop"])
@pytest.mark.parametrize("strategy", ["exhaustive", "exhaustive:1"])
def test_an_exhaustive_search_goes_on_and_claims_what_it_would_have_claimed(pay, strategy, system):
    terms = SearchTerms(strategy=strategy, adversarial=True, system=system)
    # It has 641 orders: 161, and about four times as many since each of the two calls in a thread
    # may do its work long before its result comes.
    plan = SearchPlan(scenarios=(pay,), runs=700, jobs=1, terms=terms)
    whole = run_search(plan, Silent()).report
    (one,) = whole.explorations
    assert one.runs > 5
    assert one.exhausted
    for runs in (2, 5):
        end = search(plan, Interrupting(runs))
        assert isinstance(end.ended_by, KeyboardInterrupt)
        assert end.report.explorations[0].runs == runs
    end = search(plan)
    assert end.runs_before == 5
    assert without_times(end.report) == without_times(whole)


def test_a_search_that_can_only_begin_again_keeps_its_failures(pay, monkeypatch):
    plan = SearchPlan(scenarios=(pay,), runs=40, jobs=1, terms=SearchTerms(strategy="random"))
    monkeypatch.setattr(
        "harness.search.strategies.random.RandomWalk.learned", lambda _strategy: None
    )
    first = search(plan, Interrupting(3))
    assert first.report.explorations[0].runs == 3
    end = search(plan)
    assert end.runs_before == 0
    assert end.report.explorations[0].runs == run_search(plan, Silent()).report.explorations[0].runs


def test_after_a_search_for_the_first_failure_the_whole_search_goes_on(pay):
    plan = SearchPlan(scenarios=(pay,), runs=200, jobs=1)
    first = search(replace(plan, first=True))
    assert first.report.explorations[0].runs < 100
    end = search(plan)
    assert without_times(end.report) == without_times(run_search(plan, Silent()).report)


def test_the_second_signal_raises_at_once():
    interruption = Interruption()
    with interruption.listening():
        os.kill(os.getpid(), signal.SIGINT)
        assert isinstance(interruption.by, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_would_not_raise_is_left_alone():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    interruption = Interruption()
    with interruption.listening():
        os.kill(os.getpid(), signal.SIGINT)
    assert interruption.by is None


def test_workers_that_do_not_stop_are_not_waited_for_for_long(pay, tmp_path, monkeypatch):
    clock = SimpleNamespace(now_s=0.0)
    clock.monotonic = lambda: clock.now_s
    monkeypatch.setattr(workers, "time", clock)
    plan = SearchPlan(scenarios=(pay,), runs=100, jobs=1)
    state = SearchState(plan, Silent(), spool=tmp_path)
    patience = Patience(state)
    patience.check()
    state.interruption.by = Terminated(143)
    for clock.now_s in (7.0, 7.0 + workers.STOP_S):
        patience.check()
    clock.now_s += 0.1
    with pytest.raises(Terminated):
        patience.check()
    notes = SpoolWriter(tmp_path, plan.pieces()[0])
    wait_until(notes.stopped)
    notes.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "term"])
def test_pieces_in_worker_processes_are_cut_short_and_gone_on_with(harness, begin, shop, number):
    asked = ("explore", "--runs", "8000", "--jobs", "2", "--resume", "j")
    process = begin(*asked)
    running = shop / "j" / "running"
    wait_until(
        lambda: any(b"ran" in one.read_bytes() for one in running.glob("*.ndjson")),
        process=process,
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 128 + number, err
    assert "interrupted; the same command goes on with it" in err
    runs = int(there(re.search(r"\(([\d,]+) runs", out))[1].replace(",", ""))
    assert runs > 0
    lines = (shop / "j" / "journal.ndjson").read_text(encoding="utf-8").splitlines()
    assert any("cut_short" in json.loads(line) for line in lines)
    assert not list(running.iterdir())
    done = harness(*asked)
    assert f"{runs:,} runs" in done.stderr
    assert re.search(r"2 distinct partial orders in 8,000 runs, 1 failure", done.stdout)


def test_the_rate_is_that_of_the_runs_made_now(pay):
    plan = SearchPlan(scenarios=(pay,), runs=100, jobs=1, terms=SearchTerms(strategy="random"))
    report = run_search(plan, Silent()).report
    assert "measured, 10 runs/s)" in summary(report, seed=0, took_s=5.0, runs_before=50)
    assert "measured)" in summary(report, seed=0, took_s=5.0, runs_before=100)


@pytest.mark.parametrize(
    ("resumable", "told"),
    [
        (True, "until then is kept; the same command goes on with it"),
        (False, "until then is told above; with --resume DIR another time it could be gone on"),
    ],
)
def test_a_lost_cluster_is_told_with_what_becomes_of_the_work(capsys, resumable, told):
    end = SearchEnd(report=ExplorationReport(explorations=()), ended_by=CouldNotRun("it went"))
    assert exit_code(end, resumable=resumable) == 3
    assert told in capsys.readouterr().err


def test_a_lost_cluster_is_no_traceback_of_its_client(monkeypatch):
    monkeypatch.setattr("harness.search.pieces.dask_cluster.CONNECT_S", 0.1)
    logging.getLogger("distributed.client").setLevel(logging.NOTSET)
    with pytest.raises(CouldNotRun, match="no scheduler answers"):
        dask_work("tcp://127.0.0.1:1")
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)
