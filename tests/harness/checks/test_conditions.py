"""The checks of conditions, on what was seen of them."""

from __future__ import annotations

import pytest

from harness.history.records import ConditionRecord
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN

HELD = ConditionRecord(name="sound", moments=9, first_held_s=0.0, held_at_end=True)
DIPPED = ConditionRecord(
    name="sound", moments=9, first_held_s=0.0, first_broken_s=1.5, reason="low", held_at_end=True
)
NEVER = ConditionRecord(
    name="sound", moments=9, first_broken_s=0.0, held_at_end=False, end_reason="still low"
)
LOST = ConditionRecord(name="sound", moments=9, first_held_s=0.0, held_at_end=None)
NOT_YET = ConditionRecord(name="sound", moments=9, first_broken_s=0.0)
RAISED = ConditionRecord(name="sound", moments=3, first_held_s=0.0, error="KeyError: 'x'")
UNSEEN = ConditionRecord(name="sound", moments=0)


@pytest.fixture
def seen(judge, make):
    return lambda check, *records: judge(
        check, history=make.history(conditions=records), of=["sound"]
    )


@pytest.mark.parametrize(
    ("record", "always", "eventually", "sometimes"),
    [
        (HELD, PASSED, PASSED, PASSED),
        (DIPPED, FAILED, PASSED, PASSED),
        (NEVER, FAILED, FAILED, FAILED),
        (LOST, PASSED, UNKNOWN, PASSED),
        (NOT_YET, FAILED, UNKNOWN, UNKNOWN),
        (RAISED, FAILED, FAILED, FAILED),
        (UNSEEN, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
    ids=["held", "dipped", "never", "lost", "not-yet", "raised", "unseen"],
)
def test_each_check_asks_for_its_own_moments(seen, record, always, eventually, sometimes):
    found = [seen(name, record).verdict for name in ("always", "eventually", "sometimes")]
    assert found == [always, eventually, sometimes]


@pytest.mark.parametrize(
    ("check", "record", "told"),
    [
        ("always", DIPPED, "sound did not at 1.500 s: low"),
        ("eventually", NEVER, "sound does not at 100.000 s: still low"),
        ("sometimes", NEVER, "sound never held in 9 moments"),
        ("always", RAISED, "sound raised KeyError: 'x'"),
    ],
)
def test_a_failure_says_which_when_and_why(seen, check, record, told):
    assert seen(check, record).seen == told


def test_a_condition_that_nobody_looked_at_is_not_green_beside_one_that_holds(judge, make):
    found = judge("always", history=make.history(conditions=(HELD,)), of=["sound", "other"])
    assert found.verdict is UNKNOWN
    assert "other" in found.seen
