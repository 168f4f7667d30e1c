"""The checks of who has what: one client for each key, and everybody exactly its own accounts."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.history.records import Outcome
from harness.results.verdict import Verdict

PASSED, FAILED, UNKNOWN = Verdict.PASSED, Verdict.FAILED, Verdict.UNKNOWN
OWN = {"creations": ["make"], "listing": "list"}


# single_spawn


@pytest.mark.parametrize(
    ("spawns", "parameters", "verdict"),
    [
        ([("alice", 0, 1), ("bob", 0, 1)], {}, PASSED),
        ([("alice", 0, 1), ("alice", 0, 1)], {}, FAILED),
        ([("alice", 0, 1), ("bob", 0, 1)], {"per": ["network"]}, FAILED),
        ([("alice", 0, 1)], {"exactly": 2}, FAILED),
        ([("alice", 0, 1), ("bob", 0, 1)], {"only": {"user": "bob"}, "exactly": 2}, FAILED),
        ([("alice", 0, 1)], {"only": {"user": "bob"}}, UNKNOWN),
        ([("alice", 0, 1)], {"per": ["usr"]}, UNKNOWN),
        ([("alice", 0, None)], {}, UNKNOWN),
        ([("alice", 0, 1), ("bob", 0, None)], {}, UNKNOWN),
        ([("alice", 0, None), ("alice", 2, None)], {}, FAILED),
        ([("alice", 0, 1), ("alice", 2, 3)], {"exactly": "any"}, FAILED),
        ([("alice", 0, None), ("alice", 2, 3)], {"exactly": "any"}, PASSED),
        ([("alice", 0, 1), ("alice", 2, 3)], {"exactly": 2, "overlap": True}, PASSED),
    ],
)
def test_spawns_are_counted_for_each_key(judge, make, spawns, parameters, verdict):
    entries = [make.spawn(*one) for one in spawns]
    assert judge("single_spawn", entries, **parameters).verdict is verdict


@pytest.mark.parametrize(
    ("exit_s", "exits", "verdict"),
    [(6, 1, PASSED), (None, 1, FAILED), (4, 1, FAILED), (8, 1, FAILED), (6, 0, FAILED)],
)
def test_clients_that_end_in_a_phase_are_counted(judge, make, exit_s, exits, verdict):
    entries = [make.spawn("alice", 0, 1, exit_s=exit_s), make.op(begin_s=5, end_s=7, phase="two")]
    found = judge("single_spawn", entries, exits=exits, exits_in="two")
    assert found.verdict is verdict


@pytest.mark.parametrize(("asked", "verdict"), [(None, FAILED), (1, PASSED), (2, FAILED)])
def test_what_only_the_probe_of_a_search_spawned_is_not_counted(judge, make, asked, verdict):
    entries = [make.spawn(exit_s=2.0), make.spawn("alice", 3.0, 4.0)]
    history = make.history(*entries, spawns_asked=asked)
    assert judge("single_spawn", history=history).verdict is verdict


def test_a_probe_that_spawns_beside_a_client_that_lives_is_seen(judge, make):
    history = make.history(make.spawn(), make.spawn("alice", 3.0, 4.0), spawns_asked=1)
    assert judge("single_spawn", history=history).verdict is FAILED


@pytest.mark.parametrize(
    ("exit_s", "begin_s", "verdict"), [(2.0, 2.0, PASSED), (2.0, 1.9, FAILED), (None, 50, FAILED)]
)
def test_a_client_must_be_gone_before_the_next_begins(judge, make, exit_s, begin_s, verdict):
    entries = [make.spawn(exit_s=exit_s), make.spawn("alice", begin_s, begin_s + 1)]
    assert judge("single_spawn", entries, exactly=2).verdict is verdict


def test_a_third_client_beside_a_long_lived_first_is_seen(judge, make):
    entries = [
        make.spawn(exit_s=9.0),
        make.spawn("alice", 9.0, 9.5, exit_s=9.6),
        make.spawn("alice", 9.55, 9.7, exit_s=9.8),
    ]
    assert judge("single_spawn", entries, exactly=3).verdict is FAILED


def test_a_spawn_too_many_is_told_with_moments_and_tasks(judge, make):
    entries = [make.spawn(), make.spawn("alice", 0.25)]
    found = judge("single_spawn", entries, only={"user": "alice"})
    assert found.expected == "1 spawn for each (user, network) of user alice"
    told = "client 0 at 0.000 s by t0, client 1 at 0.250 s by t1"
    assert found.seen == f"2 spawns for (alice, Localnet): {told}"
    assert found.involved[1] == f"two clients at once for (alice, Localnet): {told}"


# sees_exactly_own


def made(make, value, *, user="alice", begin_s=0.0, end_s=1.0, **others):
    result = {"account_id": value}
    return make.op("make", begin_s, end_s, user=user, value=result, **others)


def listed(make, *values, user="alice", begin_s=5.0, end_s=6.0, **others):
    accounts = [{"account_id": value, "network": "Localnet"} for value in values]
    fields = {"phase": "two", "value": {"client_accounts": accounts}} | others
    return make.op("list", begin_s, end_s, user=user, **fields)


def test_everybody_sees_exactly_its_own(judge, make):
    entries = [
        made(make, "a"),
        made(make, "b", user="bob"),
        listed(make, "a"),
        listed(make, "b", user="bob"),
        listed(make, user="carol"),
    ]
    found = judge("sees_exactly_own", entries, **OWN)
    assert (found.verdict, found.seen) == (PASSED, "3 listings, 2 made")


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ([], "does not show a"),
        (["a", "b"], "shows b of bob"),
        (["a", "a"], "shows something twice"),
        (["a", "z"], "shows z, which nobody made"),
    ],
)
def test_a_wrong_listing_is_told(judge, make, shown, told):
    entries = [made(make, "a"), made(make, "b", user="bob"), listed(make, *shown)]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.verdict is FAILED
    assert found.expected == "each list to show exactly its user's own"
    assert found.involved == (f"list of alice (t2) {told}",)


def test_what_is_being_made_may_show_or_not(judge, make):
    under_way = made(make, "n", begin_s=4.0, end_s=7.0)
    for shown in (["a"], ["a", "n"]):
        entries = [made(make, "a"), under_way, listed(make, *shown)]
        assert judge("sees_exactly_own", entries, **OWN).verdict is PASSED


def test_what_was_made_later_must_not_show(judge, make):
    entries = [made(make, "a"), made(make, "n", begin_s=8.0, end_s=9.0), listed(make, "a", "n")]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.involved == ("list of alice (t2) shows n before it was asked for",)


@pytest.mark.parametrize(("phase", "verdict"), [("one", FAILED), ("two", PASSED)])
def test_what_ended_in_an_earlier_phase_must_show_even_at_the_same_moment(
    judge, make, phase, verdict
):
    entries = [
        made(make, "x", begin_s=0.5, phase=phase),
        made(make, "a", end_s=0.5),
        listed(make, "a", begin_s=1.0),
    ]
    assert judge("sees_exactly_own", entries, **OWN).verdict is verdict


@pytest.mark.parametrize(
    "lost",
    [
        {"raised": "SpawnFailed", "expected_error": "SpawnFailed"},
        {"outcome": Outcome.CANCELLED, "expected_error": "cancelled"},
    ],
)
def test_a_lost_creation_may_show_to_its_own_user_only(judge, make, lost):
    gone = make.op("make", 0, 1, **lost)
    entries = [made(make, "b", user="bob"), gone, listed(make, "b", user="bob")]
    assert judge("sees_exactly_own", [*entries, listed(make, "z")], **OWN).verdict is PASSED
    entries[-1] = listed(make, "b", "z", user="bob")
    assert judge("sees_exactly_own", entries, **OWN).verdict is FAILED


def test_one_lost_creation_explains_one_id_over_all_listings(judge, make):
    gone = make.op("make", 0, 1, raised="SpawnFailed", expected_error="SpawnFailed")
    entries = [
        made(make, "a"),
        gone,
        listed(make, "a", "z"),
        listed(make, "a", "z", "y", begin_s=7.0, end_s=8.0),
    ]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.verdict is FAILED
    assert found.involved == ("list of alice (t3) shows y, which nobody made",)


def test_an_id_that_nobody_was_given_shows_to_one_user_at_most(judge, make):
    lost = [
        make.op("make", 0, 1, user=user, raised="SpawnFailed", expected_error="SpawnFailed")
        for user in ("alice", "bob")
    ]
    shown = [listed(make, "z", user=user) for user in ("alice", "bob")]
    entries = [made(make, "c", user="carol"), *lost, *shown]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.involved == ("z is shown to alice and to bob",)


def test_what_was_shown_must_not_vanish(judge, make):
    slow = made(make, "n", begin_s=4.0, end_s=20.0)
    entries = [
        made(make, "a"),
        slow,
        listed(make, "a", "n"),
        listed(make, "a", begin_s=7.0, end_s=8.0),
    ]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.involved == ("list of alice (t3) no longer shows n",)


def test_one_id_made_for_two_users_fails(judge, make):
    entries = [made(make, "a"), made(make, "a", user="bob"), listed(make, "a")]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.verdict is FAILED
    assert found.involved[0] == "a was made for alice and for bob"


def test_a_creation_without_an_id_fails(judge, make):
    entries = [make.op("make", value={}), made(make, "a"), listed(make, "a")]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.involved == ("make of alice (t0) has nothing at account_id",)


def test_a_listing_of_another_form_fails(judge, make):
    entries = [made(make, "a"), make.op("list", 5, 6, value={"accounts": ["a"]})]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.involved == ("list of alice (t1) has nothing where the ids should be",)


def test_listings_that_all_failed_tell_nothing(judge, make):
    entries = [made(make, "a"), make.op("list", 5, 6, raised="SpawnFailed")]
    assert judge("sees_exactly_own", entries, **OWN).verdict is UNKNOWN


def test_a_listing_that_failed_leaves_doubt(judge, make):
    entries = [made(make, "a"), listed(make, "a"), make.op("list", 5, 6, raised="SpawnFailed")]
    assert judge("sees_exactly_own", entries, **OWN).verdict is UNKNOWN


def test_listings_before_anything_was_there_tell_nothing(judge, make):
    entries = [made(make, "a", begin_s=4.0, end_s=9.0), listed(make)]
    found = judge("sees_exactly_own", entries, **OWN)
    assert (found.verdict, found.seen) == (UNKNOWN, "1 listings, 1 made, and nothing to show yet")


def test_an_account_under_another_network_is_seen_where_it_is_asked_for(judge, make):
    order = {"order": {"CreateClient": {"network": "Testnet"}}}
    entries = [made(make, "a", arguments=order), listed(make, "a")]
    assert judge("sees_exactly_own", entries, **OWN).verdict is PASSED
    found = judge("sees_exactly_own", entries, **OWN, agrees={"network": "order.*.network"})
    assert found.verdict is FAILED
    assert found.involved == (
        'list of alice (t1) shows a with network "Localnet", made with "Testnet"',
    )


MOMENTS = st.integers(0, 30)
CREATIONS = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob"]),
        st.tuples(MOMENTS, MOMENTS, MOMENTS).map(sorted),
        st.sampled_from(["returned", "lost early", "lost late"]),
    ),
    min_size=1,
    max_size=6,
)
LISTINGS = st.lists(
    st.tuples(st.sampled_from(["alice", "bob"]), st.tuples(MOMENTS, MOMENTS, MOMENTS).map(sorted)),
    min_size=1,
    max_size=6,
)


def sound(make, creations, listings):
    """Let each creation take effect at a moment of its own, and each listing look at one."""
    effects = []
    entries = []
    for number, (user, (begin_s, effect_s, end_s), how) in enumerate(creations):
        value = f"id{number}"
        if how == "returned":
            entries.append(made(make, value, user=user, begin_s=begin_s, end_s=end_s))
        else:
            fate = {"raised": "SpawnFailed", "expected_error": "SpawnFailed"}
            entries.append(make.op("make", begin_s, end_s, user=user, **fate))
        if how != "lost early":
            effects.append((user, effect_s, value))
    for user, (begin_s, look_s, end_s) in listings:
        shown = [value for who, effect_s, value in effects if who == user and effect_s <= look_s]
        moments = {"begin_s": begin_s, "end_s": end_s, "phase": "one"}
        entries.append(listed(make, *shown, user=user, **moments))
    return entries


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(creations=CREATIONS, listings=LISTINGS)
def test_a_sound_service_is_never_accused(judge, make, creations, listings):
    found = judge("sees_exactly_own", sound(make, creations, listings), **OWN)
    assert found.verdict is not FAILED, found.involved


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(creations=CREATIONS, listings=LISTINGS)
def test_a_leak_is_never_missed(judge, make, creations, listings):
    entries = [
        made(make, "carols", user="carol"),
        *sound(make, creations, listings),
        listed(make, "carols"),
    ]
    found = judge("sees_exactly_own", entries, **OWN)
    assert found.verdict is FAILED
    assert any("shows carols of carol" in told for told in found.involved)
