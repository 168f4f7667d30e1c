"""What a search says of itself: the bound of PCT, and what clean runs rule out."""

from __future__ import annotations

import random

import pytest

from harness.search.strategies.confidence import pct_bound, runs_for, sentences, share_below
from harness.search.strategies.pct import PriorityChanges
from harness.search.strategies.portfolio import Portfolio, strategy_named
from harness.search.strategies.random import RandomWalk


def test_the_bound_is_that_of_the_paper():
    assert pct_bound(lanes=4, decisions=10, depth=1) == 1 / 4
    assert pct_bound(lanes=4, decisions=10, depth=3) == pytest.approx(1 / 400)


@pytest.mark.parametrize("probability", [0.5, 0.05, 0.001])
def test_so_many_runs_find_it_with_the_confidence_and_fewer_do_not(probability):
    runs = runs_for(probability)
    assert 1 - (1 - probability) ** runs >= 0.95
    assert 1 - (1 - probability) ** (runs - 1) < 0.95


def test_clean_runs_rule_out_a_share_that_would_have_shown():
    stream = random.Random(3)
    share = share_below(300)
    assert share == pytest.approx(0.00994, abs=1e-5)
    clean = sum(all(stream.random() >= share for _ in range(300)) for _ in range(4_000))
    assert clean / 4_000 == pytest.approx(0.05, abs=0.015)


def test_a_clean_search_says_how_sure_it_makes_one_and_a_failing_one_does_not():
    (said,) = sentences(RandomWalk(0), runs=1_000, failures=0)
    assert said.startswith("1,000 runs without a failure: with 95 % confidence fewer than 0.30%")
    assert sentences(RandomWalk(0), runs=1_000, failures=1) == ()


def test_pct_tells_n_k_d_and_its_bound_also_inside_a_portfolio():
    pct = PriorityChanges(0, depth=3)
    pct.lanes, pct.horizon = 4, 10
    (said, _) = sentences(pct, runs=5, failures=0)
    assert "n = 4 lanes, k = 10 decisions, d = 3" in said
    assert "probability 0.0025 or better; 1,197 runs find it with 95 %" in said
    portfolio = Portfolio(0)
    for part in portfolio.parts:
        if isinstance(part, PriorityChanges):
            part.lanes, part.horizon = 4, 10
    assert sum("n = 4 lanes" in one for one in sentences(portfolio, runs=5, failures=1)) == 2


@pytest.mark.parametrize("name", ["default", "awaits", "exhaustive", "exhaustive:1"])
def test_what_is_not_drawn_says_nothing_of_a_share_of_runs(name):
    said = sentences(strategy_named(name, seed=0), runs=7, failures=0)
    assert len(said) == 1
    assert "confidence" not in said[0]


def test_runs_that_could_not_be_carried_out_make_nobody_sure():
    (said,) = sentences(RandomWalk(0), runs=7, failures=0, unknown=True)
    assert said.startswith("not all of its runs could be carried out")


def test_one_run_is_told_as_one():
    (said,) = sentences(RandomWalk(0), runs=1, failures=0)
    assert said.startswith("1 run without a failure")
    pct = PriorityChanges(0, depth=1)
    pct.lanes, pct.horizon = 1, 1
    assert "n = 1 lane, k = 1 decision," in sentences(pct, runs=1, failures=1)[0]
    assert "1 run finds it" in sentences(pct, runs=1, failures=1)[0]
