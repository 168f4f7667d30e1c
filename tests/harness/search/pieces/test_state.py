"""A search: its pieces, whoever carries them out, and how they become one result."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from harness.choices.kinds import ChoiceKind
from harness.errors import BadInput
from harness.results.verdict import Verdict
from harness.search.pieces.merging import fewest_deviations, merged
from harness.search.pieces.piece import PieceFound, run_piece, strategy_of
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import run_search
from harness.search.terms import SearchTerms
from tests.there import there

SOUND = "exploring_shop:SoundShop"


class Silent:
    """Notes what is told."""

    def __init__(self):
        self.lines = []
        self.progress = []

    def message(self, line):
        self.lines.append(line)

    def ran(self, runs, distinct, failures):
        self.progress.append((runs, distinct, failures))

    def found(self, scenario, failure):
        self.lines.append(f"{scenario}: {failure.headline}")


def search(plan):
    watcher = Silent()
    end = run_search(plan, watcher)
    return end, watcher


def facts(end):
    """List what must not depend on who did the work."""
    return [
        (one.runs, one.distinct, one.coverage, [failure.cause for failure in one.failures])
        for one in end.report.explorations
    ]


def test_two_processes_find_what_one_finds(pay):
    one, _ = search(SearchPlan(scenarios=(pay,), runs=250, jobs=1))
    two, _ = search(SearchPlan(scenarios=(pay,), runs=250, jobs=2))
    assert facts(one) == facts(two)
    assert one.report.explorations[0].runs == 250
    assert one.report.explorations[0].distinct == 2


def test_one_scenario_is_shared_by_two_processes(pay):
    plan = SearchPlan(scenarios=(pay,), runs=200, jobs=2)
    assert plan.processes == 2
    assert [piece.runs for piece in plan.pieces()] == [100, 100]


@pytest.mark.parametrize("runs", [1, 99, 100, 101, 250, 2_000, 12_345])
def test_the_pieces_have_the_runs_that_were_asked_for(pay, runs):
    pieces = SearchPlan(scenarios=(pay,), runs=runs).pieces()
    assert sum(there(piece.runs) for piece in pieces) == runs
    assert len({piece.key for piece in pieces}) == len(pieces)


def test_no_two_pieces_draw_the_same(pay):
    drawn = []
    for piece in SearchPlan(
        scenarios=(pay,), runs=2_000, terms=SearchTerms(strategy="random")
    ).pieces():
        policy = strategy_of(piece).begin(0)
        drawn.append(tuple(policy.choose(ChoiceKind.LATENCY, 1_000, "") for _ in range(5)))
    assert len(drawn) == len(set(drawn)) == 8


def test_a_failure_is_told_once_however_often_it_is_found(pay):
    end, watcher = search(SearchPlan(scenarios=(pay,), runs=400, jobs=2))
    (one,) = end.report.explorations
    assert len(one.failures) == 1
    assert sum("success_share" in line for line in watcher.lines) == 1
    assert one.verdict is Verdict.FAILED


def test_first_ends_a_search_at_its_first_failure(pay):
    end, _ = search(SearchPlan(scenarios=(pay,), runs=2_000, first=True, jobs=1))
    (one,) = end.report.explorations
    assert one.failures
    assert one.runs < 300


def test_an_exhausted_strategy_is_one_piece(pay):
    plan = SearchPlan(scenarios=(pay,), runs=1_000, jobs=2, terms=SearchTerms(strategy="default"))
    assert len(plan.pieces()) == 1
    end, _ = search(plan)
    assert end.report.explorations[0].runs == 1


def test_seconds_are_shared_fairly(pay, shop, counted_clock):
    text = Path(pay.path).read_text(encoding="utf-8")
    other = shop / "scenarios" / "other.toml"
    other.write_text(text, encoding="utf-8")
    from harness.runs.batch import read_scenarios  # noqa: PLC0415

    plan = SearchPlan(
        scenarios=read_scenarios([Path("scenarios")]),
        seconds=10.0,
        terms=SearchTerms(system=SOUND),
        jobs=1,
    )
    end, _ = search(plan)
    walls = [one.wall_s for one in end.report.explorations]
    assert all(one.runs > 0 for one in end.report.explorations)
    assert sum(walls) == pytest.approx(10.0, abs=0.5)
    assert max(walls) < 1.1 * min(walls)


def test_shards_together_are_the_whole(pay):
    whole = SearchPlan(scenarios=(pay,), runs=400)
    shards = [SearchPlan(scenarios=(pay,), runs=400, shard=(number, 3)) for number in (1, 2, 3)]
    keys = [piece.key for plan in shards for piece in plan.pieces()]
    assert sorted(keys) == sorted(piece.key for piece in whole.pieces())


def test_a_worker_that_dies_once_costs_nothing(pay, shop):
    (shop / "die").touch()
    plan = SearchPlan(
        scenarios=(pay,), runs=1200, jobs=2, terms=SearchTerms(system="exploring_shop:DiesOnce")
    )
    end, watcher = search(plan)
    (one,) = end.report.explorations
    assert (one.runs, one.verdict) == (1200, Verdict.PASSED)
    assert any("a worker process died" in line for line in watcher.lines)


def test_a_piece_whose_worker_always_dies_is_lost_and_never_green(pay):
    plan = SearchPlan(
        scenarios=(pay,), runs=200, jobs=2, terms=SearchTerms(system="exploring_shop:Dies")
    )
    end, watcher = search(plan)
    (one,) = end.report.explorations
    assert one.verdict is Verdict.UNKNOWN
    assert "died twice" in one.could_not_run
    assert any("died twice" in line for line in watcher.lines)


def piece(pay, index, orders, *, runs=10, failures=()):
    whole = run_piece(
        SearchPlan(
            scenarios=(pay,), runs=1, terms=SearchTerms(strategy="default", system=SOUND)
        ).pieces()[0]
    )
    return PieceFound(
        path=pay.path,
        index=index,
        exploration=replace(whole.exploration, runs=runs, failures=failures),
        orders=base64.b64encode(b"".join(one.ljust(12, b".") for one in orders)).decode(),
        first_seen=tuple(range(1, len(orders) + 1)),
        interleaved=(("a", "b"),),
    )


def test_distinct_orders_are_counted_once_and_awaits_too(pay):
    pieces = [piece(pay, 1, [b"b", b"c"]), piece(pay, 0, [b"a", b"b"])]
    found = merged(SearchPlan(scenarios=(pay,), runs=200), pay, pieces=pieces)
    assert (found.runs, found.distinct, found.awaits_interleaved) == (20, 3, 1)
    assert found.coverage[0] == (1, 1)
    assert found.coverage[-1] == (20, 3)


def test_the_failure_with_the_fewest_deviations_is_kept(pay):
    end, _ = search(SearchPlan(scenarios=(pay,), runs=50, jobs=1))
    (failure,) = end.report.explorations[0].failures
    longer = replace(failure, deviations=failure.deviations + 5, token="longer")
    assert fewest_deviations([longer, failure]) == (failure,)
    pieces = [piece(pay, 0, [b"a"]), piece(pay, 1, [b"a"], failures=(failure,))]
    found = merged(SearchPlan(scenarios=(pay,), runs=200), pay, pieces=pieces, failures=[longer])
    assert found.failures == (replace(failure, runs_to_find=10 + failure.runs_to_find),)


def test_what_was_lost_makes_a_clean_search_unknown(pay):
    plan = SearchPlan(scenarios=(pay,), runs=200)
    found = merged(plan, pay, pieces=[piece(pay, 0, [b"a"])], lost="a worker died")
    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"terms": SearchTerms(strategy="lucky")},
            'there is no strategy "lucky"; known: portfolio, random',
        ),
        ({"terms": SearchTerms(strategy="pct:99")}, 'must be 1 to 12, got "99"'),
        ({"runs": 0}, "--runs: must be at least 1 .*, got 0"),
        ({"runs": -5}, "--runs: must be at least 1 .*, got -5"),
        ({"seconds": 0.0}, "--time: must be more than 0 seconds, and finite, got 0"),
        ({"seconds": float("nan")}, "--time: must be more than 0 seconds, and finite, got nan"),
        ({"seconds": float("inf")}, "--time: must be more than 0 seconds, and finite, got inf"),
        ({"runs": 5, "seconds": 5.0}, "--runs, --time: must be one of the two"),
        ({"jobs": 0}, "--jobs: must be at least 1"),
        ({"terms": SearchTerms(seed=-1)}, "--seed: must be 0 to"),
        ({"shard": (3, 2)}, "--shard: must be K/N with K from 1 to N, got 3/2"),
        ({"shard": (0, 2)}, "--shard: must be K/N with K from 1 to N, got 0/2"),
        ({"shard": (1, 9), "runs": 200}, "9 shares of 2 pieces of work leave some with nothing"),
    ],
    ids=str,
)
def test_a_plan_that_breaks_a_rule_is_refused_with_the_way_out(pay, options, told):
    with pytest.raises(BadInput, match=told):
        SearchPlan(scenarios=(pay,), **options)
