"""The journal: what was finished and found is never lost, and never mixed with something else."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BadInput
from harness.results.plain_record import to_plain
from harness.search.pieces.journal import Journal
from harness.search.pieces.notes import SpoolWriter
from harness.search.pieces.piece import run_piece
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import run_search
from harness.search.terms import SearchTerms
from tests.harness.search.silent_watcher import Silent
from tests.waiting import LIMIT_S, wait_until

SOUND = "exploring_shop:SoundShop"


class Telling(Silent):
    """Notes what is told."""

    def __init__(self):
        self.lines = []

    def message(self, line):
        self.lines.append(line)


def facts(end):
    """List what must not depend on how often it was interrupted."""
    return [
        (one.runs, one.distinct, one.coverage, [failure.cause for failure in one.failures])
        for one in end.report.explorations
    ]


def search(plan, *folders):
    watcher = Silent()
    journal = Journal([Path(one) for one in folders], plan)
    try:
        return run_search(plan, watcher, journal=journal), journal.notes
    finally:
        journal.close()


def lines_of(folder):
    return (Path(folder) / "journal.ndjson").read_bytes().splitlines(keepends=True)


def refused(plan, *folders):
    with pytest.raises(BadInput) as caught:
        Journal([Path(one) for one in folders], plan)
    return str(caught.value)


def test_what_was_finished_is_not_done_again(pay):
    plan = SearchPlan(scenarios=(pay,), runs=400, jobs=1)
    whole, notes = search(plan, "j")
    assert notes == []
    lines = lines_of("j")
    again, notes = search(plan, "j")
    assert facts(again) == facts(whole)
    assert notes == ["from the journal: 4 finished pieces of work, 400 runs, 1 failure"]
    assert sum(b'"done"' in line for line in lines_of("j")) == sum(b'"done"' in x for x in lines)


def test_an_unfinished_search_goes_on_where_it_was(pay, shop):
    plan = SearchPlan(scenarios=(pay,), runs=400, jobs=1)
    whole, _ = search(plan, "whole")
    kept = [line for line in lines_of("whole") if b'"done"' in line or b"journal_version" in line]
    (shop / "part").mkdir()
    (shop / "part" / "journal.ndjson").write_bytes(b"".join(kept[:3]))
    end, notes = search(plan, "part")
    assert facts(end) == facts(whole)
    assert "2 finished pieces of work, 200 runs" in notes[0]


def test_a_last_line_that_was_cut_off_is_dropped_and_told(pay, shop):
    plan = SearchPlan(scenarios=(pay,), runs=200, jobs=1)
    whole, _ = search(plan, "j")
    path = shop / "j" / "journal.ndjson"
    kept = [line for line in lines_of("j") if b'"done"' in line or b"journal_version" in line]
    path.write_bytes(kept[0] + kept[1] + kept[2][:50])
    end, notes = search(plan, "j")
    assert any("the last line was cut off and is dropped" in line for line in notes)
    assert facts(end) == facts(whole)
    assert all(json.loads(line) for line in lines_of("j"))


def test_a_damaged_line_in_the_middle_is_refused_with_its_number(pay, shop):
    plan = SearchPlan(scenarios=(pay,), runs=200, jobs=1)
    search(plan, "j")
    lines = lines_of("j")
    (shop / "j" / "journal.ndjson").write_bytes(lines[0] + b"{nonsense\n" + lines[1])
    told = refused(plan, "j")
    assert "journal.ndjson:2: must be a JSON object" in told
    assert "remove that line" in told


def test_a_line_too_deep_to_read_is_refused_with_its_number(pay, shop):
    plan = SearchPlan(scenarios=(pay,), runs=200)
    Journal([Path("j")], plan).close()
    with (shop / "j" / "journal.ndjson").open("ab") as stream:
        stream.write(b"[" * 100_000 + b"\n")
    assert "j/journal.ndjson:2: must be a JSON object" in refused(plan, "j")


@pytest.mark.parametrize(
    ("strategy", "learned", "told"),
    [
        ("exhaustive", {"runs": 3, "changed": 5}, "learned.changed must be -1 to -1, got 5; name"),
        ("exhaustive", {"runs": "3"}, "learned.runs must be of type int, got '3'"),
        ("pct", {"deeper": 0}, "what pct:3 had learned must be as it was written, got KeyError"),
    ],
)
def test_what_a_strategy_had_learned_is_refused_with_its_line(pay, shop, strategy, learned, told):
    plan = SearchPlan(scenarios=(pay,), runs=100, jobs=1, terms=SearchTerms(strategy=strategy))
    Journal([Path("j")], plan).close()
    asked = iter(range(3))
    piece = run_piece(plan.pieces()[0], stopped=lambda: next(asked, None) is None)
    line = {"cut_short": to_plain(replace(piece, learned=learned))}
    with (shop / "j" / "journal.ndjson").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")
    assert f"j/journal.ndjson:2: {told}" in refused(plan, "j")


@pytest.mark.parametrize(
    "line",
    [b"{nonsense", b"[" * 100_000, b"\xff", b"[]", b"{}", b'{"path":"p","index":0,"failure":{}}'],
    ids=["torn", "deep", "bytes", "list", "empty", "failure"],
)
def test_a_bad_line_among_the_notes_is_told_and_costs_nothing_else(pay, shop, line):
    plan = SearchPlan(scenarios=(pay,), runs=100, jobs=1)
    whole, _ = search(plan, "j")
    (shop / "j" / "running" / "a.ndjson").write_bytes(line + b"\n")
    watcher = Telling()
    journal = Journal([Path("j")], plan)
    end = run_search(plan, watcher, journal=journal)
    journal.close()
    assert facts(end) == facts(whole)
    (told,) = watcher.lines
    assert told.startswith("j/running/a.ndjson: a line that is no note of a worker is dropped")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"terms": SearchTerms(seed=1)}, "seed was 0, now 1"),
        ({"terms": SearchTerms(strategy="random")}, "strategy was portfolio, now random"),
        ({"runs": 500}, "runs was 200, now 500"),
        ({"terms": SearchTerms(adversarial=True)}, "adversarial was False, now True"),
        ({"terms": SearchTerms(system=SOUND)}, "system was None, now exploring_shop:SoundShop"),
    ],
    ids=str,
)
def test_a_journal_of_another_search_is_refused(pay, options, told):
    Journal([Path("j")], SearchPlan(scenarios=(pay,), runs=200)).close()
    other = SearchPlan(**({"scenarios": (pay,), "runs": 200} | options))
    message = refused(other, "j")
    assert f"is of another search: {told}; name another folder" in message


def test_a_journal_of_another_text_of_the_scenario_is_refused(pay, shop):
    plan = SearchPlan(scenarios=(pay,), runs=200)
    Journal([Path("j")], plan).close()
    with (shop / "scenarios" / "pay.toml").open("a") as stream:
        stream.write("# changed\n")
    assert "the scenario is not the same any more for scenarios/pay.toml" in refused(plan, "j")


def test_a_journal_of_another_version_is_refused(pay, shop):
    (shop / "j").mkdir()
    (shop / "j" / "journal.ndjson").write_text('{"journal_version":99}\n', encoding="utf-8")
    told = refused(SearchPlan(scenarios=(pay,)), "j")
    assert "journal_version must be 1, got 99" in told


def test_a_journal_in_use_is_refused(pay):
    plan = SearchPlan(scenarios=(pay,))
    journal = Journal([Path("j")], plan)
    try:
        assert "is in use by another process" in refused(plan, "j")
    finally:
        journal.close()


def test_a_folder_that_cannot_be_made_is_refused(pay):
    told = refused(SearchPlan(scenarios=(pay,)), "exploring_shop.py/j")
    assert "must be a directory that can be made" in told


def test_journals_of_shards_are_united(pay):
    whole, _ = search(SearchPlan(scenarios=(pay,), runs=400, jobs=1), "whole")
    for number in (1, 2):
        search(SearchPlan(scenarios=(pay,), runs=400, jobs=1, shard=(number, 2)), f"s{number}")
    end, notes = search(SearchPlan(scenarios=(pay,), runs=400, jobs=1), "s1", "s2")
    assert facts(end) == facts(whole)
    assert "4 finished pieces of work, 400 runs" in notes[-1]


def test_a_shard_whose_folder_holds_no_journal_is_told(pay):
    told = refused(SearchPlan(scenarios=(pay,)), "s1", "nowhere")
    assert "--resume: nowhere/journal.ndjson: no such file" in told


def test_a_failure_that_a_killed_worker_noted_is_not_lost(pay):
    plan = SearchPlan(scenarios=(pay,), runs=200, jobs=1)
    piece = plan.pieces()[0]
    journal = Journal([Path("j")], plan)
    notes = SpoolWriter(journal.running, piece)
    run_piece(piece, keep=notes.found)
    notes.close()
    journal.close()
    sound = Journal([Path("j")], plan)
    watcher = Silent()
    try:
        # No piece is done: what is known comes from the notes alone.
        end = run_search(plan, watcher, journal=sound, work=lambda state: None)
    finally:
        sound.close()
    (one,) = end.report.explorations
    assert (one.runs, len(one.failures)) == (0, 1)
    assert any(b'"failure"' in line for line in lines_of("j"))
    assert not list((Path("j") / "running").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl_c", "kill"])
def test_an_interrupted_search_resumes_to_the_same_result(harness, begin, shop, number):
    asked = ("explore", "--runs", "3000", "--jobs", "2")
    process = begin(*asked, "--resume", "j")
    journal = shop / "j" / "journal.ndjson"
    wait_until(
        lambda: journal.exists() and journal.read_bytes().count(b'"done"') >= 2, process=process
    )
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    if number == signal.SIGINT:
        assert process.returncode == 130, (out, err)
        assert "interrupted; the same command goes on with it" in err
        assert "success_share" in out
    done = harness(*asked, "--resume", "j")
    assert done.returncode == 1
    assert "from the journal: " in done.stderr
    assert re.search(r"2 distinct partial orders in 3,000 runs, 1 failure", done.stdout)
