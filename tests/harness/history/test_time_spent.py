"""Where the time went: which pieces count, what commands add up to, what stays None."""

from __future__ import annotations

import pytest

from harness.history.records import (
    ClientRecord,
    Command,
    History,
    NodeKind,
    Operation,
    Outcome,
    Pacing,
    Round,
    TimesSpent,
)
from harness.history.time_spent import QUANTITIES, spendings

TOLD = TimesSpent(queued_s=0.5, service_s=2.0, cpu_s=0.25, node_s=1.0)


def operation(number=0, begin_s=0.0, end_s=10.0, outcome=Outcome.RETURNED, call="create"):
    return Operation(
        number=number, step="s", call=call, user="ann", phase="p", task="t", begin_s=begin_s,
        end_s=end_s, outcome=outcome,
    )  # fmt: skip


def command(end_s=4.0, outcome=Outcome.RETURNED, of=0, times=TOLD):
    return Command(
        client=0, key={"user": "ann"}, name="sync", task="t", begin_s=1.0, end_s=end_s,
        outcome=outcome, operation=of, times=times,
    )  # fmt: skip


def spawn(times=TOLD, outcome=Outcome.RETURNED):
    ready_s = 1.0 if outcome is Outcome.RETURNED else None
    return ClientRecord(
        number=0, key={"user": "ann"}, task="t", begin_s=0.0, ready_s=ready_s, exit_s=None,
        outcome=outcome, operation=0, times=times,
    )  # fmt: skip


def gathered(*, operations=(), commands=(), clients=(), **others):
    history = History(
        node=NodeKind.SIMULATED, operations=tuple(operations), commands=tuple(commands),
        clients=tuple(clients), **others,
    )  # fmt: skip
    return {(one.timed, one.kind, one.name): one for one in spendings([history])}


def told(spending):
    (piece,) = spending.pieces
    return tuple(getattr(piece, name) for name in QUANTITIES)


def test_an_operation_adds_up_what_its_commands_and_spawns_told():
    found = gathered(operations=[operation()], commands=[command(), command()], clients=[spawn()])
    assert told(found[None, "operation", "create"]) == (10.0, 1.5, 6.0, 0.75, 3.0)


def test_a_command_and_a_spawn_are_pieces_of_their_own():
    found = gathered(operations=[operation()], commands=[command()], clients=[spawn()])
    assert told(found[None, "command", "sync"]) == (3.0, 0.5, 2.0, 0.25, 1.0)
    assert told(found[None, "command", "spawn"]) == (1.0, 0.5, 2.0, 0.25, 1.0)


def test_what_nobody_told_is_unknown_and_not_0():
    partly = TimesSpent(queued_s=0.0, service_s=2.0, node_s=0.0)
    found = gathered(operations=[operation()], commands=[command(times=partly)])
    assert told(found[None, "operation", "create"]) == (10.0, 0.0, 2.0, None, 0.0)
    assert found[None, "operation", "create"].samples("cpu_s") == ()
    found = gathered(operations=[operation()], commands=[command(times=None)])
    assert told(found[None, "operation", "create"]) == (10.0, None, None, None, None)
    assert told(found[None, "command", "sync"]) == (3.0, None, None, None, None)


def test_a_service_without_clients_has_totals_alone():
    found = gathered(operations=[operation(), operation(number=1, end_s=7.0)])
    assert found[None, "operation", "create"].samples("total_s") == (7.0, 10.0)
    assert list(found) == [(None, "operation", "create")]


@pytest.mark.parametrize(
    "other",
    [
        command(of=1),
        command(of=None),
        command(end_s=10.5),  # It went on when its operation had ended.
        command(end_s=None, outcome=Outcome.UNFINISHED),
    ],
)
def test_an_operation_does_not_count_what_is_not_its_own(other):
    found = gathered(operations=[operation()], commands=[command(), other])
    assert told(found[None, "operation", "create"])[2] == 2.0


def test_what_did_not_return_is_counted_and_left_out():
    found = gathered(
        operations=[operation(), operation(number=1, outcome=Outcome.RAISED)],
        commands=[command(outcome=Outcome.CANCELLED), command(end_s=None)],
        clients=[spawn(outcome=Outcome.RAISED)],
    )
    counts = {key[2]: (len(one.pieces), one.left_out) for key, one in found.items()}
    assert counts == {"create": (1, 1), "sync": (0, 2), "spawn": (0, 1)}


def test_timed_rounds_stand_apart_from_the_run():
    inner = History(node=NodeKind.LIVE, operations=(operation(end_s=3.0),), commands=(command(),))
    rounds = tuple(Round(phase="p", pacing=pacing, history=inner) for pacing in Pacing)
    found = gathered(operations=[operation()], rounds=rounds)
    assert found[None, "operation", "create"].samples("total_s") == (10.0,)
    for pacing in Pacing:
        assert found[pacing, "operation", "create"].samples("total_s") == (3.0,)
        assert found[pacing, "command", "sync"].samples("queued_s") == (0.5,)
