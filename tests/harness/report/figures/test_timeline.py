from dataclasses import replace

import pytest

from harness.history.records import History, NodeKind
from harness.report.figures.timeline import OPERATIONS_MAX, shown_operations, timeline_of
from harness.results.wording import seconds


def bars(timeline, kind):
    return [bar for bar in timeline.bars if bar.kind == kind]


def overlaps(bar, other):
    return (
        bar.x < other.x + other.width
        and other.x < bar.x + bar.width
        and bar.y < other.y + other.height
        and other.y < bar.y + bar.height
    )


def test_each_user_has_a_lane_and_each_lock(parked_run):
    timeline = timeline_of(parked_run.history)
    locks = ("lock CrossedLocks._row_lock", "lock CrossedLocks._client_lock")
    names = ["alice", "no user", *locks]
    assert [lane.label for lane in timeline.lanes] == names
    assert [lane.y for lane in timeline.lanes[1:]] == [
        lane.y + lane.height for lane in timeline.lanes[:-1]
    ]
    assert timeline.height == timeline.lanes[-1].y + timeline.lanes[-1].height


@pytest.mark.parametrize("which", range(8))
def test_bars_that_took_time_together_do_not_cover_each_other(rich_report, which):
    run = rich_report.runs[which]
    if run.history is None:
        assert run.could_not_run is not None
        return
    drawn = [bar for bar in timeline_of(run.history).bars if bar.kind not in {"parked", "alive"}]
    covered = [(a, b) for n, a in enumerate(drawn) for b in drawn[:n] if overlaps(a, b)]
    assert covered == []


def test_ten_operations_at_once_stand_under_each_other(passed_run):
    asked = bars(timeline_of(passed_run.history), "operation")[:10]
    assert {bar.title.partition(",")[0][3:] for bar in asked} == {"get_client for alice"}
    assert len({bar.y for bar in asked}) == 10
    assert len({bar.x for bar in asked}) == 1


def test_each_spawn_at_the_same_time_is_seen_as_a_row(failed_run):
    timeline = timeline_of(failed_run.history)
    shapes = [bar.shape for bar in bars(timeline, "spawn")]
    assert (shapes.count("returned"), shapes.count("raised")) == (2, 9)
    assert len({bar.y for bar in bars(timeline, "spawn")}) == 11
    assert len(bars(timeline, "alive")) == 2


def test_the_shape_of_a_bar_is_its_outcome(parked_run, deadlocked_run):
    shapes = [bar.shape for bar in bars(timeline_of(parked_run.history), "operation")]
    assert shapes.count("returned") == 5
    assert (shapes.count("expected"), shapes.count("cancelled")) == (3, 1)
    stuck = timeline_of(deadlocked_run.history)
    unfinished = [bar for bar in bars(stuck, "operation") if bar.shape == "unfinished"]
    assert [bar.label for bar in unfinished] == ["swap", "swap"]
    assert {round(bar.x + bar.width, 3) for bar in unfinished} == {100.0}


@pytest.mark.parametrize(
    ("expected", "shape", "words"),
    [
        ("success", "raised", "raised\n"),
        (None, "raised", "raised\n"),
        ("cancelled", "raised", "raised, expected cancelled\n"),
        ("KeyError", "raised", "raised, expected KeyError\n"),
        ("any", "expected", "raised as expected\n"),
        ("NodeUnreachable", "expected", "raised as expected\n"),
    ],
)
def test_a_raised_operation_is_expected_only_where_its_step_says_so(
    unreachable, expected, shape, words
):
    raised = replace(unreachable, expected_error=expected)
    history = History(node=NodeKind.SIMULATED, operations=(raised,), end_s=5.0)
    (bar,) = bars(timeline_of(history), "operation")
    assert bar.shape == shape
    assert words in bar.title


def test_a_parked_interval_lies_on_its_operation(parked_run):
    timeline = timeline_of(parked_run.history)
    (parked,) = bars(timeline, "parked")
    under = [bar for bar in bars(timeline, "operation") if overlaps(bar, parked)]
    assert [bar.label for bar in under] == ["create_account_order"]
    ((begin_s, end_s),) = parked_run.history.operations[1].parked
    assert end_s - begin_s > 0.4
    assert parked.title == f"create_account_order parked for {seconds(end_s - begin_s)}"


def test_faults_and_the_deadlock_are_marked_where_they_happened(parked_run, deadlocked_run):
    first, second = timeline_of(parked_run.history).marks
    assert (first.label, second.label, second.kind) == ("1", "2", "fault")
    fault = parked_run.history.faults[0]
    assert first.text == f"{seconds(fault.at_s)}: fail at sync.before (alice, Localnet)"
    assert second.text.endswith(": die at sync.before (alice, Localnet)")
    assert first.x == pytest.approx(fault.at_s / parked_run.history.end_s * 100, abs=0.01)
    (deadlock,) = timeline_of(deadlocked_run.history).marks
    assert (deadlock.kind, deadlock.x) == ("deadlock", 100.0)


def test_a_bar_says_what_failed(parked_run):
    titles = [bar.title for bar in bars(timeline_of(parked_run.history), "operation")]
    assert any("NodeUnreachable: the node refused the connection" in title for title in titles)


def test_an_operation_without_length_is_an_instant(parked_run):
    labelled = {bar.label: bar for bar in bars(timeline_of(parked_run.history), "operation")}
    assert labelled["list_desks"].instant
    assert not labelled["create_account_order"].instant


def test_a_cap_keeps_what_did_not_return_and_says_what_it_left_out(live_run, unreachable):
    good = [
        replace(live_run.history.operations[0], number=number, user=f"user-{number}")
        for number in range(1_000)
    ]
    bad = replace(unreachable, number=1_000)
    history = replace(live_run.history, operations=(*good, bad))
    shown = shown_operations(history)
    assert len(shown) == OPERATIONS_MAX
    assert shown[-1] is bad
    assert f"{OPERATIONS_MAX} of 1,001 operations" in timeline_of(history).left_out


def test_an_empty_history_has_no_lanes():
    timeline = timeline_of(History(node=NodeKind.SIMULATED))
    assert (timeline.height, timeline.lanes, timeline.bars) == (0, (), ())
