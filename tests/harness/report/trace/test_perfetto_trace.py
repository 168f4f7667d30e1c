from collections import Counter
from dataclasses import replace

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

from harness.errors import BadInput
from harness.history.records import History, NodeKind, Outcome
from harness.report.trace.perfetto_trace import perfetto_trace, write_perfetto
from harness.results.schedule import Schedule

BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4


class Trace:
    """A trace read by Perfetto's own definitions, and its slices put together again."""

    def __init__(self, encoded):
        self.packets = protos.Trace.FromString(encoded).packet
        described = [
            one.track_descriptor for one in self.packets if one.HasField("track_descriptor")
        ]
        self.tracks = {one.uuid: one for one in described}
        self.events = [one for one in self.packets if one.HasField("track_event")]
        self.slices = []
        lasting = {}
        for packet in self.events:
            event, stack = packet.track_event, lasting.setdefault(packet.track_event.track_uuid, [])
            if event.type == BEGIN:
                stack.append(packet)
            elif event.type == END:
                begun = stack.pop()  # fails on an end without its begin
                self.slices.append((begun, packet.timestamp))
        self.endless = [one for stack in lasting.values() for one in stack]

    def name_of(self, packet):
        return self.tracks[packet.track_event.track_uuid].name

    def spans(self, track):
        return sorted(
            (begun.track_event.name, begun.timestamp, end)
            for begun, end in self.slices
            if self.name_of(begun) == track
        )

    def of_type(self, kind):
        return [one for one in self.events if one.track_event.type == kind]


def notes(packet):
    return {one.name: one.string_value for one in packet.track_event.debug_annotations}


@pytest.fixture(scope="module")
def scheduled(failing_schedule):
    return Trace(perfetto_trace(None, failing_schedule))


@pytest.fixture(scope="module")
def recorded(contended_history):
    return Trace(perfetto_trace(contended_history))


@pytest.mark.parametrize("which", ["failing_schedule", "cycle_schedule", "large_schedule"])
def test_time_never_goes_back_and_every_event_is_on_a_track_that_was_described(which, request):
    trace = Trace(perfetto_trace(None, request.getfixturevalue(which)))
    moments = [one.timestamp for one in trace.events]
    assert moments == sorted(moments)
    assert {one.track_event.track_uuid for one in trace.events} <= trace.tracks.keys()
    parents = {one.parent_uuid for one in trace.tracks.values() if one.HasField("parent_uuid")}
    assert parents <= trace.tracks.keys()
    assert {one.trusted_packet_sequence_id for one in trace.packets} == {1}
    assert [one.sequence_flags for one in trace.packets].count(1) == 1
    assert trace.packets[0].sequence_flags == 1


def test_a_lane_is_a_track_and_a_step_lasts_until_the_lanes_next(scheduled):
    assert [one.name for one in scheduled.tracks.values()][2:] == [
        *("task-1", "buy[guest-0]", "buy[guest-1]", "buy[guest-2]"),
        *("timer 1.3.t1", "executor 1.3.p1"),
    ]
    # The second of these steps is the fifth at moment 0, and each is a nanosecond later.
    assert scheduled.spans("buy[guest-0]") == [
        ("awaits executor call len", 4, 2_685_371),
        ("awaits executor call len", 2_685_371, 7_433_616),
        ("lets others run", 1, 4),
        ("returned", 7_433_616, 7_433_617),
    ]
    assert scheduled.endless == []


def test_steps_at_one_moment_keep_their_order(scheduled, failing_schedule):
    begun = scheduled.of_type(BEGIN)
    assert [one.track_event.name for one in begun] == [one.does for one in failing_schedule.steps]
    assert len({one.timestamp for one in begun}) == len(begun)
    for packet, step in zip(begun, failing_schedule.steps, strict=True):
        assert 0 <= packet.timestamp - int(step.at_s * 1e9) < 20


def test_deviations_are_instants_that_say_who(scheduled):
    marks = scheduled.of_type(INSTANT)
    told = [(one.track_event.name, notes(one)["lane"], notes(one)["step"]) for one in marks]
    assert told == [
        ("ran ahead of executor 1.2.p2", "timer 1.3.t1", "10"),
        ("ran ahead of executor 1.2.p2", "executor 1.3.p1", "12"),
    ]


def test_an_arrow_leads_from_a_step_to_each_that_it_woke(scheduled, failing_schedule):
    begun = scheduled.of_type(BEGIN)
    started = {flow: int(notes(one)["step"]) for one in begun for flow in one.track_event.flow_ids}
    ended = {
        flow: int(notes(one)["step"])
        for one in begun
        for flow in one.track_event.terminating_flow_ids
    }
    pairs = sorted((ended[flow], waker) for flow, waker in started.items())
    wanted = [
        (one.index, one.woken_by) for one in failing_schedule.steps if one.woken_by is not None
    ]
    assert pairs == wanted
    assert started.keys() == ended.keys()


def test_a_wake_up_by_a_step_that_is_not_there_has_no_arrow(failing_schedule):
    tail = Schedule(steps=failing_schedule.steps[3:])
    begun = Trace(perfetto_trace(None, tail)).of_type(BEGIN)
    assert not begun[0].track_event.terminating_flow_ids
    flows = Counter(flow for one in begun for flow in one.track_event.flow_ids)
    assert flows == Counter(flow for one in begun for flow in one.track_event.terminating_flow_ids)


def test_lanes_of_the_cycle_wait_without_end(cycle_schedule):
    trace = Trace(perfetto_trace(None, cycle_schedule))
    assert sorted(trace.name_of(one) for one in trace.endless) == list(cycle_schedule.cycle)
    last = {step.lane: step.does for step in cycle_schedule.steps}
    endless = {trace.name_of(one): one.track_event.name for one in trace.endless}
    assert endless == {lane: last[lane] for lane in cycle_schedule.cycle}
    assert endless["dine[guest-1]"] == "awaits Lock Fair._forks[2]"


def test_operations_that_overlap_are_on_tracks_of_their_own(recorded):
    assert recorded.spans("operations") == [
        ("add", 0, 6_000_000),
        ("add", 0, 11_000_000),
        ("add", 0, 16_000_000),
    ]
    groups = Counter(
        recorded.tracks[one.parent_uuid].name
        for one in recorded.tracks.values()
        if one.name == "operations"
    )
    assert groups == {f"{user} (simulated)": 1 for user in ("alice", "bob", "carol")}


def test_slices_say_how_they_ended(recorded):
    outcomes = [
        notes(begun)["outcome"] for begun, _ in recorded.slices if "outcome" in notes(begun)
    ]
    assert Counter(outcomes) == {"returned": 2, "raised as expected": 1}


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        ("success", "raised"),
        ("any", "raised as expected"),
        ("NodeUnreachable", "raised as expected"),
        ("KeyError", "raised, expected KeyError"),
    ],
)
def test_a_slice_says_whether_its_step_expected_that_end(unreachable, expected, outcome):
    raised = replace(unreachable, expected_error=expected)
    history = History(node=NodeKind.SIMULATED, operations=(raised,))
    ((begun, _),) = Trace(perfetto_trace(history)).slices
    assert notes(begun)["outcome"] == outcome


def test_locks_show_who_held_them_across_what_and_who_waited(recorded, contended_history):
    assert recorded.spans("held") == [
        ("add[alice]", 0, 5_000_000),
        ("add[alice]", 5_000_000, 6_000_000),
        ("add[bob]", 5_000_000, 10_000_000),
        ("add[bob]", 10_000_000, 11_000_000),
        ("add[carol]", 10_000_000, 15_000_000),
        ("add[carol]", 15_000_000, 16_000_000),
    ]
    assert recorded.spans("waited for") == [
        ("add[bob]", 0, 5_000_000),
        ("add[carol]", 0, 10_000_000),
    ]
    held = [notes(begun) for begun, _ in recorded.slices if recorded.name_of(begun) == "held"]
    hold = contended_history.lock_holds[0]
    assert "await asyncio.sleep(0.005)" in hold.held_await
    assert {"taken at": hold.where, "held across": hold.held_await} in held


def test_a_counter_tells_the_operations_in_flight(recorded):
    counted = [
        (one.timestamp, one.track_event.counter_value)
        for one in recorded.of_type(COUNTER)
        if recorded.name_of(one) == "operations in flight (simulated)"
    ]
    assert counted == [(0, 3), (6_000_000, 2), (11_000_000, 1), (16_000_000, 0)]
    tracks = [one for one in recorded.tracks.values() if one.HasField("counter")]
    assert len(tracks) == 2


def test_what_never_ended_has_no_end(cycle_history):
    # At its deadline a run ends its operations, and nothing else; without one they have no end.
    operations = tuple(
        replace(one, end_s=None) if one.outcome is Outcome.UNFINISHED else one
        for one in cycle_history.operations
    )
    trace = Trace(perfetto_trace(replace(cycle_history, operations=operations)))
    endless = Counter(trace.name_of(one) for one in trace.endless)
    assert endless == {"operations": 5, "held": 5, "waited for": 5}


def test_commands_and_faults_are_on_the_trace_of_a_live_run(parked_run):
    # Commands and faults of a live run need a real node.
    history = replace(parked_run.history, node=NodeKind.LIVE)
    trace = Trace(perfetto_trace(history))
    told = trace.spans("commands")
    assert sorted(name for name, *_ in told) == sorted(one.name for one in history.commands)
    command = next(one for one in history.commands if one.error is not None)
    assert ("sync", round(command.begin_s * 1e9), round(command.end_s * 1e9)) in told
    begun = [one for one, _ in trace.slices if trace.name_of(one) == "commands"]
    errors = [notes(one)["error"] for one in begun if "error" in notes(one)]
    assert errors[0] == "NodeUnreachable: the node refused the connection"
    assert len(errors) == sum(one.error is not None for one in history.commands)
    marks = [(one.timestamp, one.track_event.name) for one in trace.of_type(INSTANT)]
    assert marks == [
        (round(fault.at_s * 1e9), f"{fault.kind} at sync.before") for fault in history.faults
    ]
    assert all("simulated" not in one.name for one in trace.tracks.values())


def test_an_operation_without_length_begins_and_ends(contended_history):
    instant = replace(contended_history.operations[0], begin_s=0.005, end_s=0.005)
    history = History(node=NodeKind.SIMULATED, operations=(instant, instant))
    trace = Trace(perfetto_trace(history))
    assert trace.spans("operations") == [("add", 5_000_000, 5_000_000)] * 2


def test_nothing_at_all_is_an_empty_trace():
    assert perfetto_trace(None, None) == b""
    trace = Trace(perfetto_trace(History(node=NodeKind.SIMULATED), Schedule(steps=())))
    assert trace.events == []


def test_hostile_and_very_long_names_are_cut_and_shown_as_escapes(hostile_schedule, nasty):
    trace = Trace(perfetto_trace(None, hostile_schedule))
    names = [one.name for one in trace.tracks.values()]
    names += [one.track_event.name for one in trace.events]
    assert all("\x1b" not in name and "\x00" not in name for name in names)
    assert max(map(len, names)) < 1_100
    assert any("漢字" in name for name in names)


def test_the_trace_is_written_whole_or_not_at_all(tmp_path, contended_history, failing_schedule):
    write_perfetto(tmp_path / "run.pftrace", contended_history, failing_schedule)
    encoded = (tmp_path / "run.pftrace").read_bytes()
    assert encoded == perfetto_trace(contended_history, failing_schedule)
    with pytest.raises(BadInput, match="must be a file that can be written"):
        write_perfetto(tmp_path / "missing" / "run.pftrace", contended_history)
    assert [one.name for one in tmp_path.iterdir()] == ["run.pftrace"]
