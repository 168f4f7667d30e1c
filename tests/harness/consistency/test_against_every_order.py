"""The checker agrees with a judge that tries every order, on 200,000 random small histories.

Most of them are drawn nightly.
"""

from __future__ import annotations

import random

import pytest

from harness.consistency import check
from harness.results.verdict import Verdict
from tests.harness.consistency.random_histories import OBJECTS, fits_some_order, history

HISTORIES_EACH = 4_000
NIGHTLY = [pytest.param(batch, marks=pytest.mark.nightly) for batch in range(4, 10)]


@pytest.mark.parametrize("batch", [*range(4), *NIGHTLY])
@pytest.mark.parametrize("name", OBJECTS)
def test_the_checker_agrees_with_a_judge_that_tries_every_order(name, batch):
    model, plain, _, untold = OBJECTS[name]
    fitting = 0
    for number in range(HISTORIES_EACH):
        calls = history(random.Random(f"{name} {batch} {number}"), name)
        fits = fits_some_order(calls, plain(), untold)
        found = check(calls, model())
        assert found.verdict is (Verdict.PASSED if fits else Verdict.FAILED), (calls, found.message)
        if not fits:
            _assert_told_well(calls, found, plain(), untold)
        fitting += fits
    # Both kinds occur, each in no small share: else agreeing would show little.
    assert 0.25 < fitting / HISTORIES_EACH < 0.9


def _assert_told_well(calls, found, thing, untold):
    """The order that is told fits, is in keeping with the moments, and cannot take the misfit."""
    for number, one in enumerate(found.order):
        answer = thing.answer(one.operation, one.arguments)
        unseen = one.operation == "write" or (one.operation in untold and one.result is None)
        assert one.end is None or unseen or answer == one.result, found.message
        later = found.order[number + 1 :]
        assert not any(other.end is not None and other.end < one.begin for other in later)
    placed = set(map(id, found.order))
    assert id(found.call) not in placed
    left = [
        one.end
        for one in calls
        if one.end is not None
        and id(one) not in placed
        and (found.partition is None or one.arguments[0] == found.partition)
    ]
    assert found.call.end == min(left)
