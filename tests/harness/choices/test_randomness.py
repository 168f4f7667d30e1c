"""The claims about seeds and streams."""

from __future__ import annotations

import pytest

from harness.choices.randomness import SEED_MAX, Randomness, drawn_seed
from harness.errors import BadInput


def test_a_stream_gives_the_same_draws_for_the_same_seed_and_name():
    one, other = Randomness(5).stream("latency"), Randomness(5).stream("latency")
    assert [one.random() for _ in range(5)] == [other.random() for _ in range(5)]


def test_another_seed_or_name_gives_other_draws():
    draws = {
        Randomness(seed).stream(name).random()
        for seed in (0, 1, SEED_MAX)
        for name in ("latency", "order", "")
    }
    assert len(draws) == 9


def test_draws_of_one_stream_do_not_disturb_another():
    quiet, busy = Randomness(5), Randomness(5)
    busy.stream("other").random()
    busy.stream("another").random()
    assert quiet.stream("latency").random() == busy.stream("latency").random()


def test_a_stream_goes_on_where_it_was():
    randomness = Randomness(5)
    assert randomness.stream("latency").random() != randomness.stream("latency").random()


def test_the_first_draw_of_a_stream_never_changes():
    # A pinned seed of a regression must mean the same run for ever, on every CPython.
    assert Randomness(48_151).stream("latency").random() == 0.299834475267279


@pytest.mark.parametrize("seed", [-1, SEED_MAX + 1])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(BadInput, match=f"seed must be from 0 to {SEED_MAX}, got {seed}"):
        Randomness(seed)


@pytest.mark.parametrize("seed", ["1", 1.0, True, None])
def test_a_seed_that_is_no_whole_number_is_refused(seed):
    with pytest.raises(BadInput, match=r"seed must be a whole number .* got .*: pass an int"):
        Randomness(seed)


def test_drawn_seeds_are_seeds_and_differ():
    seeds = {drawn_seed() for _ in range(20)}
    assert len(seeds) > 15
    for seed in seeds:
        Randomness(seed)
