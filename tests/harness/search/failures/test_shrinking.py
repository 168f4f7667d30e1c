"""Shrinking: few deviations are left, they still fail, and it costs few runs."""

from __future__ import annotations

import random

import pytest

from harness.choices.kinds import ChoiceKind
from harness.search.failures.shrinking import LONG, shrink_schedule
from harness.search.failures.tape import Deviation, Tape


def deviations(count, value=1):
    return tuple(Deviation(ChoiceKind.ORDER, f"1.{n % 7}", n, value) for n in range(count))


def needing(*needed):
    """Make a test that fails if all that is needed is there, and counts what it was asked."""
    asked = []

    def fails(tape):
        asked.append(tape)
        there = {one[:3]: one.value for one in tape.schedule}
        return all(there.get(one[:3], 0) >= one.value for one in needed)

    return fails, asked


@pytest.mark.parametrize("count", [1, 2, 3, 50, 2_000])
@pytest.mark.parametrize("needed", [1, 2, 3])
def test_only_what_is_needed_is_left(count, needed):
    if needed > count:
        return
    all_of_them = deviations(count)
    stream = random.Random(count * 10 + needed)
    wanted = stream.sample(all_of_them, needed)
    fails, asked = needing(*wanted)
    shrunk = shrink_schedule(Tape(seed=1, schedule=all_of_them), fails)
    assert set(shrunk.tape.schedule) == set(wanted)
    assert shrunk.runs == len(asked) <= 60
    assert shrunk.tape.seed == 1


def test_a_run_that_fails_by_default_needs_no_deviation():
    shrunk = shrink_schedule(Tape(seed=0, schedule=deviations(100)), lambda _: True)
    assert shrunk.tape.schedule == ()
    assert shrunk.runs == 1


def test_delays_are_made_as_short_as_they_can_be():
    (one,) = deviations(1, value=1_000)
    fails, _ = needing(one._replace(value=37))
    shrunk = shrink_schedule(Tape(seed=0, schedule=(one,)), fails)
    assert shrunk.tape.schedule == (one._replace(value=37),)


def test_one_long_delay_at_a_site_is_found_first():
    site = Deviation(ChoiceKind.ORDER, "1.9", 3, LONG)
    fails, _ = needing(site._replace(value=5))
    shrunk = shrink_schedule(
        Tape(seed=0, schedule=deviations(3_000)),
        lambda tape: len(tape.schedule) > 2_000 or fails(tape),
        sites=[*deviations(3, value=LONG), site],
    )
    assert shrunk.tape.schedule == (site._replace(value=5),)
    assert shrunk.runs <= 30


@pytest.mark.parametrize("runs_max", [0, 1, 7])
def test_when_the_runs_are_spent_what_is_left_still_fails(runs_max):
    fails, asked = needing(*deviations(64)[::2])
    shrunk = shrink_schedule(Tape(seed=0, schedule=deviations(64)), fails, runs_max=runs_max)
    assert shrunk.runs == len(asked) == runs_max
    assert fails(shrunk.tape)


def test_what_does_not_fail_alike_twice_still_leaves_a_failing_tape():
    stream = random.Random(1)
    failing = set()

    def fails(tape):
        found = stream.random() < 0.4
        if found:
            failing.add(tape.schedule)
        return found

    whole = deviations(200)
    shrunk = shrink_schedule(Tape(seed=0, schedule=whole), fails)
    assert shrunk.tape.schedule in failing | {whole}
