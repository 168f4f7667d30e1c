"""The search finds what is wrong with each entry of the zoo, and accuses none that is mended."""

from __future__ import annotations

import linecache
import re
from functools import lru_cache
from pathlib import Path

import pytest

from harness.search.explorer import Budget, explore_subject
from harness.search.failures.investigation import carry_out
from harness.search.failures.token import Token, cause_key, first_parting
from harness.search.strategies.portfolio import strategy_named
from tests.sensitivity.zoo.catalogue import RAREST, ZOO
from tests.there import there

ROOT = Path(__file__).parents[2]
SEED = 1
# Runs within which the portfolio finds every entry: some tenths of a second, of the 60 s that a
# search has by default.
RUNS_MAX = 2_500
MENDED_RUNS = 300
RAREST_RUNS = 1_000

PLACE = re.compile(r"(?P<path>[^ ]+\.py):(?P<line>\d+) in ")
every_entry = pytest.mark.parametrize("name", ZOO)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def explored(name, strategy, *, runs, mended=False, seed=SEED):
    subject = ZOO[name].subject(mended=mended, seed=seed)
    return explore_subject(
        subject,
        strategy_named(strategy, seed=seed),
        budget=Budget(runs=runs),
        first=True,
    )


@lru_cache(maxsize=len(ZOO))
def found_in(name):
    """Search an entry with the portfolio, once for all tests of it."""
    exploration = explored(name, "portfolio", runs=RUNS_MAX)
    assert exploration.failures, f"{name}: {exploration.runs} runs found nothing"
    (failure,) = exploration.failures
    return failure


@every_entry
def test_default_order_passes(name):
    assert explored(name, "default", runs=1).failures == ()


@every_entry
def test_portfolio_finds_what_was_broken(name):
    cause, symptom = found_in(name).cause, ZOO[name].symptom
    if symptom == "deadlock":
        assert cause.startswith("deadlock at ")
        return
    place = there(PLACE.search(cause))
    line = linecache.getline(place["path"], int(place["line"]))
    assert symptom in line, cause


@every_entry
def test_token_repeats_the_failure(name):
    failure = found_in(name)
    token = Token.read(failure.token)
    with ZOO[name].subject() as subject:
        again = carry_out(subject, token.tape)
    assert there(again.failure).cause == failure.cause
    assert cause_key(failure.cause) == token.cause
    assert first_parting(token, again.order) is None


@every_entry
def test_few_deviations_are_left(name):
    failure, entry = found_in(name), ZOO[name]
    assert failure.deviations <= entry.shrunk, Token.read(failure.token).tape
    assert failure.shrink_runs <= 60


@every_entry
def test_mended_twin_passes(name):
    exploration = explored(name, "portfolio", runs=MENDED_RUNS, mended=True)
    assert exploration.failures == ()
    assert exploration.runs == MENDED_RUNS


@pytest.mark.parametrize("seed", range(5))
def test_uniform_random_search_does_not_find_the_rarest(seed):
    exploration = explored(RAREST.name, "random", runs=RAREST_RUNS, seed=seed)
    assert exploration.failures == ()
    assert exploration.distinct > RAREST_RUNS / 2


def test_zoo_is_as_large_and_as_rare_as_it_claims():
    depths = [entry.depth for entry in ZOO.values()]
    assert len(ZOO) >= 32
    assert sum(depth == 2 for depth in depths) >= 5
    assert sum(depth >= 3 for depth in depths) >= 3
    assert sum(not entry.adversarial for entry in ZOO.values()) >= 10
    assert len({entry.invariant for entry in ZOO.values()}) == len(ZOO)


def test_readme_has_every_entry_as_it_is():
    lines = (Path(__file__).parent / "zoo" / "README.md").read_text(encoding="utf-8").splitlines()
    for entry in ZOO.values():
        order = "adversarial" if entry.adversarial else "production"
        cells = (entry.name, entry.invariant, entry.hazard, str(entry.depth), order, entry.ids)
        assert f"| {' | '.join(cells)} |" in lines
        # And a row of the table of runs.
        assert any(
            line.startswith(f"| {entry.name} | {entry.depth} | {order} | ") for line in lines
        )
