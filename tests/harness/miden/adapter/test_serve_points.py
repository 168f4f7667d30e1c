"""The claims about points inside services: scenarios park, cancel and fail there by name."""

from __future__ import annotations

import asyncio

import pytest

from harness.errors import BadInput
from harness.results.verdict import Verdict

CREATE = """
[[phase]]
name = "make"
[[phase.do]]
id = "create"
call = "create_account_order"
user = "ann"
with.order.CreateClient = { network = "Localnet", name = "one" }
"""
LIST = """
[[phase.do]]
id = "list"
call = "list_accounts"
user = "ann"
start = { after = "create", when = "parks" }
"""


class SoldOut(Exception):
    """There is no seat."""


async def nowhere(_name, **_key):
    """Is what a service calls in production."""


class Office:
    """Sells one seat to whoever pays first."""

    points = ("seat.taken", "seat.paid")

    def __init__(self, points=nowhere):
        self._at = points
        self._sold = []

    async def buy(self, user):
        await self._at("seat.taken", user=user)
        self._sold.append(user)
        return self._sold[0]

    async def count(self):
        return len(self._sold)

    async def stray(self):
        await self._at("seat.lost")


class Silent:
    """Has no points."""

    async def buy(self, user):
        return user


def failed(result):
    return {one.name for one in result.checks if one.verdict is not Verdict.PASSED}


@pytest.mark.parametrize(
    "point",
    [
        "spawn.before_build",
        "spawn.before_ready",
        "cache.before_insert",
        "key.before_write",
        "sql.user.begin_order.before_commit",
        "sql.user.begin_order.after_commit",
        "sql.user.succeed_orders.after_commit",
        "cmd.prepare_account.before",
        "cmd.sync.after_remote",
    ],
)
def test_a_creation_is_parked_at_each_point_and_a_listing_passes_it(run, point):
    park = f'park = {{ at = "{point}", until = "list" }}\n'
    ask = '[check]\nends_before = { first = "list", then = "create" }\n'
    result = run(CREATE + park + LIST + ask)
    assert failed(result) == set()
    (create,) = [one for one in result.history.operations if one.step == "create"]
    assert len(create.parked) == 1


def test_a_caller_cancelled_between_commit_and_answer_keeps_its_account(run):
    cancel = 'cancel = { at = "sql.user.succeed_orders.after_commit" }\n'
    look = """
[[phase]]
name = "look"
[[phase.do]]
call = "list_orders"
user = "ann"
[check]
result = { of = "list_orders", path = "*.status", equals = ["succeeded"] }
"""
    assert failed(run(CREATE + cancel + look)) == set()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ('at = "sql.user.begin_order.execute"\nkind = "fail"', "StoreFailed"),
        ('at = "sql.user.begin_order.before_commit"\nkind = "fail"', "StoreFailed"),
        ('at = "key.before_write"\nkind = "fail"\nerror = "NodeRejected"', "NodeRejected"),
        ('at = "spawn.before_ready"\nkind = "hang"', "SpawnTimedOut"),
        ('at = "key.before_write"\nkind = "die"', "ClientClosed"),
    ],
)
def test_a_fault_at_a_point_is_the_error_it_would_be(run, fault, error):
    result = run(
        CREATE
        + f'expect = "{error}"\n[[fault]]\n{fault}\n[check]\nno_deadlock = {{ within_s = 60 }}'
    )
    assert failed(result) == set()


def test_a_locked_database_is_told_as_sqlite_tells_it(run):
    fault = '[[fault]]\nat = "sql.user.list_orders.execute"\nkind = "fail"\n'
    ask = '\n[[phase.do]]\ncall = "list_orders"\nuser = "ann"\nexpect = "StoreFailed"\n'
    # A user without a database asks SQLite nothing; the failure comes first all the same.
    result = run(CREATE + ask + fault + "[check]")
    (listing,) = [one for one in result.history.operations if one.step == "list_orders"]
    assert "database is locked" in listing.error.message


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ("spawn.before_bild", 'no point "spawn.before_bild"; did you mean "spawn.before_build"?'),
        ("sql.user.begin_order.execute", "can only fail; park at a point beside it"),
        ("spawn.inside", '"spawn" has no .inside; known: before, after'),
        ("snyc.before", 'no client has a "snyc"; did you mean "sync.before"? known: spawn,'),
        ("nothing.of_the_kind", "shutdown.before_join"),
    ],
)
def test_a_point_that_is_not_there_is_told_with_those_that_are(run, point, told):
    with pytest.raises(BadInput) as caught:
        run(CREATE + f'park = {{ at = "{point}", until = "list" }}\n' + LIST + "[check]")
    assert told in str(caught.value)


BUY = """
[[phase]]
name = "sale"
[[phase.do]]
id = "buy"
call = "buy"
user = "ann"
"""


def test_a_plain_service_is_parked_at_its_own_point(run):
    text = (
        BUY
        + 'park = { at = "seat.taken", until = "count" }\n'
        + """
[[phase.do]]
call = "count"
start = { after = "buy", when = "parks" }
[check]
result = { of = "count", equals = 0 }
ends_before = { first = "count", then = "buy" }
"""
    )
    assert failed(run(text, Office)) == set()


@pytest.mark.parametrize(
    ("error", "expected"),
    [("", "ConnectionError"), ('error = "SoldOut"', "SoldOut"), ('error = "OSError"', "OSError")],
)
def test_a_plain_service_fails_at_its_point_with_an_error_of_its_own_or_of_python(
    run, error, expected
):
    fault = f'[[fault]]\nat = "seat.taken"\nkind = "fail"\n{error}\nuser = "ann"\n'
    assert failed(run(BUY + f'expect = "{expected}"\n{fault}[check]', Office)) == set()


@pytest.mark.parametrize(
    ("service", "point", "told"),
    [
        (Office, "seat.takn", 'did you mean "seat.taken"? known: seat.taken, seat.paid'),
        (Silent, "seat.taken", 'Silent has no points; list them in it, points = ("seat.taken",)'),
    ],
)
def test_a_plain_service_without_the_point_is_told_so(run, service, point, told):
    with pytest.raises(BadInput) as caught:
        run(BUY + f'[[fault]]\nat = "{point}"\nkind = "fail"\n[check]', service)
    assert told in str(caught.value)


def test_a_plain_service_has_no_client_to_die(run):
    with pytest.raises(BadInput, match="no client to die"):
        run(BUY + '[[fault]]\nat = "seat.taken"\nkind = "die"\n[check]', Office)


def test_a_point_that_the_class_does_not_list_fails_the_call(run):
    result = run('[[phase]]\nname = "x"\n[[phase.do]]\ncall = "stray"\n[check]', Office)
    (stray,) = result.history.operations
    assert failed(result) == {"outcomes"}
    assert 'points does not list "seat.lost"' in stray.error.message


def test_a_service_with_points_runs_without_a_harness():
    assert asyncio.run(Office().buy("ann")) == "ann"
