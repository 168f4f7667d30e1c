import pytest

from harness.history.ends import against_expected, as_expected, raised_as_expected
from harness.history.records import ErrorRecord, Operation, Outcome

ENDS = [
    # outcome, error, the end that the step expects, as it expects?, what is said of it
    (Outcome.RETURNED, None, "success", True, ""),
    (Outcome.RETURNED, None, None, True, ""),
    (Outcome.RETURNED, None, "any", True, ""),
    (Outcome.RETURNED, None, "NodeUnreachable", False, ", expected NodeUnreachable"),
    (Outcome.RETURNED, None, "cancelled", False, ", expected cancelled"),
    (Outcome.RAISED, "KeyError", "success", False, ""),
    (Outcome.RAISED, "KeyError", None, False, ""),
    (Outcome.RAISED, "KeyError", "any", True, " as expected"),
    (Outcome.RAISED, "KeyError", "KeyError", True, " as expected"),
    (Outcome.RAISED, "KeyError", "LookupError", True, " as expected"),
    (Outcome.RAISED, "KeyError", "NodeUnreachable", False, ", expected NodeUnreachable"),
    (Outcome.CANCELLED, None, "cancelled", True, " as expected"),
    (Outcome.CANCELLED, None, "success", False, ""),
    (Outcome.CANCELLED, None, "KeyError", False, ", expected KeyError"),
    (Outcome.UNFINISHED, None, "success", False, ""),
    (Outcome.UNFINISHED, None, "KeyError", False, ""),
]


@pytest.mark.parametrize(("outcome", "error", "expected", "fits", "words"), ENDS)
def test_an_end_is_called_expected_only_where_the_step_expects_it(
    outcome, error, expected, fits, words
):
    record = error and ErrorRecord(type=error, message="gone", bases=("LookupError", "Exception"))
    operation = Operation(
        number=0,
        step="ask",
        call="ask",
        user=None,
        phase="main",
        task="t1",
        begin_s=0.0,
        end_s=None if outcome is Outcome.UNFINISHED else 1.0,
        outcome=outcome,
        error=record,
        expected_error=expected,
    )
    assert as_expected(operation) is fits
    assert raised_as_expected(operation) is (fits and outcome is Outcome.RAISED)
    assert against_expected(operation) == words
