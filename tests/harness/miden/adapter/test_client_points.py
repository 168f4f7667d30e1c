"""The claims about points of clients: inside a command, at a close, and what may happen there."""

from __future__ import annotations

import pytest

from harness.errors import BadInput
from harness.history.records import Outcome
from harness.results.verdict import Verdict

FIRST = """
[[phase]]
name = "first"
[[phase.do]]
id = "first"
call = "create_account_order"
user = "each"
with.order.CreateClient = { network = "Localnet", name = "{user}" }
"""
PARKED = """
[[phase]]
name = "meet"
[[phase.do]]
id = "create"
call = "create_account_order"
user = "ann"
with.order.CreateClient = { network = "Localnet", name = "second" }
park = { at = "prepare_account.AT", until = ["orders", "bens"] }
[[phase.do]]
id = "status"
call = "get_account_status"
user = "ann"
with = { network = "Localnet", account = "$first.account_id" }
start = { after = "create", when = "parks" }
[[phase.do]]
id = "orders"
call = "list_orders"
user = "ann"
start = { after = "create", when = "parks", delay_ms = 500 }
[[phase.do]]
id = "bens"
call = "get_account_status"
user = "ben"
with = { network = "Localnet", account = "$first.account_id" }
start = { after = "create", when = "parks", delay_ms = 900 }
[check]
"""
CREATE = """
[[phase]]
name = "make"
[[phase.do]]
id = "create"
call = "create_account_order"
user = "ann"
with.order.CreateClient = { network = "Localnet", name = "second" }
"""
LOOK = """
[[phase]]
name = "look"
[[phase.do]]
id = "held"
call = "list_client_accounts"
user = "ann"
with.network = "Localnet"
"""
FLUSHED = """
[[phase]]
name = "flush"
[[phase.do]]
id = "flush"
call = "flush_clients_for_secret"
user = "ann"
[[phase.do]]
id = "next"
call = "list_client_accounts"
user = "ann"
with.network = "Localnet"
start = { after = "flush", when = "ends" }
expect = "EXPECT"
"""


def told(result, *steps):
    every = {one.step: one for one in result.history.operations if one.user != "ben"}
    return [every[step] for step in steps]


def failed(result):
    return {one.name for one in result.checks if one.verdict is not Verdict.PASSED}


@pytest.mark.parametrize(("at", "waits"), [("before", False), ("inside", True), ("after", False)])
def test_only_a_park_inside_holds_up_what_its_client_is_asked(run, at, waits):
    result = run(FIRST + PARKED.replace("AT", at))
    assert failed(result) == set()
    create, status = told(result, "create", "status")
    ((_, let_go_s),) = create.parked
    assert (status.end_s > let_go_s) is waits


def test_a_park_waits_for_all_the_steps_that_it_names(run):
    result = run(FIRST + PARKED.replace("AT", "inside"))
    (create,) = told(result, "create")
    ends_s = {one.step: one.end_s for one in result.history.operations if one.phase == "meet"}
    assert create.parked[0][1] == max(ends_s["orders"], ends_s["bens"])


@pytest.mark.parametrize("at", ["before", "inside", "after"])
def test_a_delay_takes_its_time_at_a_point(run, at):
    plain, slow = (
        run(CREATE + fault + "[check]\nno_deadlock = { within_s = 60 }")
        for fault in (
            "",
            f'[[fault]]\nat = "sync.{at}"\nkind = "delay"\ndelay_ms = 7_000\n',
        )
    )
    took_s = [one.history.operations[0].end_s for one in (plain, slow)]
    assert failed(slow) == set()
    assert took_s[1] == pytest.approx(took_s[0] + 7)
    (fault,) = slow.history.faults
    assert (fault.point, fault.kind) == (f"sync.{at}", "delay")


def test_a_client_dies_inside_a_command_and_the_next_one_goes_on(run):
    fault = '[[fault]]\nat = "sync.inside"\nkind = "die"\n'
    result = run(CREATE + 'expect = "ClientClosed"\n' + LOOK + fault + "[check]")
    assert failed(result) == set()
    (held,) = told(result, "held")
    assert len(held.value) == 1


def test_a_client_that_hangs_inside_a_command_is_let_go_once_all_phases_are_over(run):
    fault = '[[fault]]\nat = "sync.inside"\nkind = "hang"\n'
    settings = "settings = { command_s = 5 }\n"
    result = run(settings + CREATE + 'expect = "CommandTimedOut"\n' + fault + "[check]")
    assert failed(result) == set()


def test_a_caller_who_is_cancelled_inside_leaves_and_the_client_goes_on(run):
    cancel = 'cancel = { at = "sync.inside" }\n'
    result = run(CREATE + cancel + LOOK + "[check]\n")
    assert failed(result) == set()
    (create,) = told(result, "create")
    assert create.outcome is Outcome.CANCELLED


def test_a_command_that_is_refused_stops_nowhere(run):
    # The queue is full when the parked command is given: what is given next must not stop.
    fault = '[[fault]]\nat = "list_accounts.inside"\nkind = "delay"\ndelay_ms = 50\nskip = 3\n'
    settings = "settings = { queue_length_max = 1 }\n"
    many = (
        LOOK.replace('"look"', '"many"').replace('"held"', '"many"') + 'times = 6\nexpect = "any"\n'
    )
    result = run(settings + many + LOOK + fault + "[check]\noutcomes = {}\n")
    ends = [one.outcome for one in result.history.operations if one.phase == "many"]
    refused = [one for one in result.history.operations if one.error]
    assert Outcome.RETURNED in ends
    assert {one.error.type for one in refused} == {"ClientBusy"}
    # The fault strikes none of them, which is told.
    assert failed(result) == {"tried"}


def test_a_close_is_parked_and_who_wants_the_next_client_waits_for_it(run):
    other = """
[[phase.do]]
id = "other"
call = "list_orders"
user = "ben"
start = { after = "flush", when = "parks", delay_ms = 700 }
"""
    park = 'park = { at = "close.before", until = "other" }\n'
    text = FLUSHED.replace('expect = "EXPECT"\n', "").replace(
        'user = "ann"\n[[phase.do]]\nid = "next"', f'user = "ann"\n{park}[[phase.do]]\nid = "next"'
    )
    result = run(FIRST + text + other + "[check]\nsingle_spawn = { exactly = 'any' }")
    assert failed(result) == set()
    (after,) = told(result, "next")
    (other,) = (one for one in result.history.operations if one.step == "other")
    assert after.end_s > other.end_s


@pytest.mark.parametrize(
    ("fault", "expect"),
    [
        ('at = "close.before"\nkind = "die"', "success"),
        ('at = "close.after"\nkind = "fail"', "success"),
        # A client that does not close is killed; the second time, even that does not end it.
        ('at = "close.before"\nkind = "hang"', "success"),
        ('at = "close.before"\nkind = "hang"\ntimes = 2', "CloseTimedOut"),
        ('at = "close.before"\nkind = "fail"', "success"),
    ],
)
def test_a_close_goes_wrong_and_the_next_client_meets_it(run, fault, expect):
    settings = "settings = { close_s = 3 }\n"
    fault = f'[[fault]]\n{fault}\nphase = "flush"\n'
    result = run(settings + FIRST + FLUSHED.replace("EXPECT", expect) + fault + "[check]")
    times = 2 if "times" in fault else 1
    assert [one.kind for one in result.history.faults] == [fault.split('"')[3]] * times
    (after,) = told(result, "next")
    assert (after.error.type if after.error else "success") == expect


@pytest.mark.parametrize(
    ("user", "struck"),
    [('"each"', ["ann", "ben"]), ('["ben"]', ["ben"]), ('"ann"', ["ann"]), (None, 1)],
)
def test_a_fault_of_several_users_strikes_each_as_often_as_it_says(run, user, struck):
    whom = "" if user is None else f"user = {user}\n"
    fault = f'[[fault]]\nat = "sync.before"\nkind = "fail"\n{whom}'
    result = run(FIRST.rstrip() + '\nexpect = "any"\n' + fault + "[check]\noutcomes = {}")
    users = sorted(one.key["user"] for one in result.history.faults)
    assert users == struck if user else len(users) == struck


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("queue_length_max = 0", "must be a whole number from 1 to 1_000_000, got 0"),
        ("store_workers = 1.5", "must be a whole number from 1 to 1_000, got 1.5"),
        ("store_workers = true", "must be a whole number from 1 to 1_000, got true"),
        ('queue_length_max = "7"', 'must be a whole number from 1 to 1_000_000, got "7"'),
        ("store_worker = 1", 'did you mean "store_workers"?'),
        ("clients_max = 0", "must be a whole number from 1 to 1_000_000, got 0"),
        ("idle_s = 0", "must be more than 0 seconds, got 0"),
        ('idle_s = "5"', "must be a number of seconds, got '5'"),
    ],
)
def test_a_bad_size_is_refused(run, settings, line):
    with pytest.raises(BadInput) as caught:
        run(f"settings = {{ {settings} }}\n" + FIRST + "[check]")
    assert line in str(caught.value)


def test_fewer_workers_of_the_store_take_longer(run):
    listings = FIRST + '[[phase]]\nname = "x"\n[[phase.do]]\ncall = "list_orders"\nuser = "ann"\n'
    took_s = [
        sum(one.end_s - one.begin_s for one in result.history.operations if one.phase == "x")
        for result in (
            run(f"settings = {{ store_workers = {count} }}\n" + listings + "times = 16\n[check]")
            for count in (1, 8)
        )
    ]
    assert took_s[0] > 1.5 * took_s[1]


def test_nothing_fails_inside_a_command(run):
    fault = '[[fault]]\nat = "sync.inside"\nkind = "fail"\n'
    with pytest.raises(BadInput, match=r"nothing fails at .*; let it fail at \.before or \.after"):
        run(CREATE + fault + "[check]")


def test_drawn_calls_are_as_many_as_asked_for_and_decided_by_the_seed(run):
    drawn = """
[[phase]]
name = "any"
draw = 30
[[phase.do]]
id = "orders"
call = "list_orders"
user = "each"
times = 3
[[phase.do]]
id = "desks"
call = "list_desks"
user = "ann"
[check]
"""
    calls = [
        [(one.step, one.user) for one in run(drawn).history.operations if one.user != "ben"]
        for _ in range(2)
    ]
    assert calls[0] == calls[1]
    assert len(calls[0]) == 30
    assert 15 <= calls[0].count(("orders", "ann")) <= 29
