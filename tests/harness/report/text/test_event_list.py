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
def test_an_end_is_told_beside_the_end_that_the_step_expects(parked_run, expected, told):
    raised = replace(parked_run.history.operations[3], expected_error=expected)
    lines = event_lines(History(node=NodeKind.SIMULATED, operations=(raised,)))
    assert lines[-1] == f"    4.900000 s  end   client_sync of alice: {told}"
