"""Cores that works share: whole works in line, or turns for all."""

from __future__ import annotations

import pytest
import simpy

from harness.miden.simulated.cores import Cores
from harness.simulated.loop.virtual_time import Drawn


def ends(*works_s, count, slice_s, begin_s=()):
    """Return when each work ends, in seconds."""
    environment = simpy.Environment()
    cores = Cores(environment, count=count, slice_s=slice_s)
    ended = {}

    def work(number, parts_s):
        if number < len(begin_s):
            yield environment.timeout(begin_s[number])
        yield from cores.compute([Drawn.between(one, one, one) for one in parts_s])
        ended[number] = environment.now

    for number, parts_s in enumerate(works_s):
        environment.process(work(number, parts_s))
    environment.run()
    return [round(ended[number], 6) for number in range(len(works_s))]


def test_whole_works_wait_in_line():
    assert ends([2], [1], [1], count=1, slice_s=None) == [2, 3, 4]


def test_whole_works_queue_for_each_of_their_parts():
    assert ends([1, 1], [1, 1], count=1, slice_s=None) == [3, 4]


def test_in_turns_equal_works_end_nearly_together():
    assert ends([1], [1], count=1, slice_s=0.1) == [1.9, 2.0]


def test_in_turns_a_short_work_does_not_wait_for_a_long_one():
    assert ends([10], [0.1], count=1, slice_s=0.1, begin_s=[0, 5.05]) == [10.1, 5.2]


def test_in_turns_parts_are_one_work():
    assert ends([1, 1], [1, 1], count=1, slice_s=0.1) == [3.9, 4.0]


def test_a_free_core_is_used_at_once():
    assert ends([1], [1], [1], count=3, slice_s=0.1) == [1, 1, 1]


@pytest.mark.parametrize("slice_s", [0.1, 0.3, 5.0, None])
def test_no_work_is_lost_or_made_by_taking_turns(slice_s):
    assert max(ends([1], [2], [0.25], [0.5], count=1, slice_s=slice_s)) == 3.75


def test_what_a_search_may_change_is_the_last_turn(monkeypatch):
    environment = simpy.Environment()
    cores = Cores(environment, count=1, slice_s=0.4)
    turns = []
    timeout = environment.timeout

    def noted(delay):
        turns.append(delay)
        return timeout(delay)

    monkeypatch.setattr(environment, "timeout", noted)
    environment.process(cores.compute([Drawn.between(0.9, 1.0, 1.5)]))
    environment.run()
    *whole, last = turns
    assert whole == [0.4, 0.4]
    assert (last.low_s, last, last.high_s) == pytest.approx((0.1, 0.2, 0.7))
