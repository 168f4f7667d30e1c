"""No proof is claimed that an order disproves, by whatever means tasks share their state."""

from __future__ import annotations

import pytest

from tests.harness.search.exhaustive.shared_programs import WAYS, outcomes_of, program_by
from tests.harness.search.exhaustive.shared_state import MEANS

# By rotation: each means is come to in one way here, in all ways in the figure "exhaustive-lies".
CASES = [(means, list(WAYS)[place % len(WAYS)]) for place, means in enumerate(MEANS)]


def lost_outcomes(means, way, *, adversarial=True):
    """Return what some order gives that the reduced search does not see; None where it is none."""
    try:
        program = program_by(means, way)
    except SyntaxError:
        # Not everything can be written with what it shares named in another way.
        assert way != "closure"
        return None
    every, _ = outcomes_of(program, reduced=False, adversarial=adversarial)
    seen, strategy = outcomes_of(program, reduced=True, adversarial=adversarial)
    assert strategy.exhausted
    assert strategy.unsteady is None
    return every - seen


@pytest.mark.parametrize(("means", "way"), CASES, ids=[f"{one.name}-{way}" for one, way in CASES])
def test_no_outcome_is_lost(means, way):
    assert not lost_outcomes(means, way)


@pytest.mark.parametrize(("means", "way"), CASES[::20], ids=lambda one: getattr(one, "name", one))
def test_no_outcome_is_lost_in_asyncio_s_own_order(means, way):
    assert not lost_outcomes(means, way, adversarial=False)


def test_every_means_is_a_program():
    for means in MEANS:
        program_by(means, "closure")


def test_most_programs_end_otherwise_in_another_order():
    differing = [
        len(outcomes_of(program_by(means, "closure"), reduced=False)[0]) > 1 for means in MEANS[::8]
    ]
    assert sum(differing) >= 0.9 * len(differing)
