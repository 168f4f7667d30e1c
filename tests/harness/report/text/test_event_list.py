from dataclasses import replace

import pytest

from harness.history.records import History, NodeKind
from harness.report.text.event_list import event_lines


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("success", "NodeUnreachable"),
        (None, "NodeUnreachable"),
        ("any", "NodeUnreachable as expected"),
        ("NodeUnreachable", "NodeUnreachable as expected"),
        ("KeyError", "NodeUnreachable, expected KeyError"),
    ],
)
def test_an_end_is_told_beside_the_end_that_the_step_expects(unreachable, expected, told):
    raised = replace(unreachable, expected_error=expected)
    lines = event_lines(History(node=NodeKind.SIMULATED, operations=(raised,)))
    end = f"{unreachable.end_s:12.6f} s  end   sync of alice"
    assert lines[-1] == f"{end}: {told}"
