"""Claims: a tenancy goes from start to end by its stages, and by no other way."""

import asyncio

import pytest

from serve import Network
from serve.clients.tenancy import Stage, Tenancy
from serve.domain.address import Owner


@pytest.fixture
def tenancy():
    return Tenancy(Owner(secret=b"s" * 32, network=Network.LOCALNET), generation=1)


class Dead:
    closed = True


def test_a_tenancy_takes_leases_while_it_starts_and_lives(tenancy):
    assert tenancy.admits
    tenancy.go_live(None, None)
    assert (tenancy.stage, tenancy.admits, tenancy.is_usable) == (Stage.LIVE, True, True)
    tenancy.drain()
    assert (tenancy.stage, tenancy.admits, tenancy.is_open) == (Stage.DRAINING, False, True)


def test_a_tenancy_drained_while_it_starts_drains_once_it_has_started(tenancy):
    tenancy.drain()
    assert (tenancy.stage, tenancy.admits, tenancy.is_open) == (Stage.DOOMED, False, False)
    tenancy.go_live(None, None)
    assert tenancy.stage is Stage.DRAINING


def test_a_draining_tenancy_is_due_to_close_with_its_last_lease(tenancy):
    tenancy.go_live(None, None)
    tenancy.lease_count = 1
    assert not tenancy.is_due_to_close
    tenancy.drain()
    assert not tenancy.is_due_to_close
    tenancy.lease_count = 0
    assert tenancy.is_due_to_close


def test_a_dead_client_waits_for_no_lease(tenancy):
    tenancy.client = Dead()
    tenancy.go_live(None, None)
    tenancy.lease_count = 1
    assert not tenancy.is_usable
    tenancy.drain()
    assert tenancy.is_due_to_close


@pytest.mark.parametrize("late", [Stage.CLOSING, Stage.STUCK, Stage.ENDED])
def test_a_drain_changes_nothing_once_the_close_has_begun(tenancy, late):
    tenancy.stage = late
    tenancy.drain()
    assert tenancy.stage is late


def test_a_stuck_close_frees_those_who_wait_and_still_ends(tenancy):
    tenancy.go_live(None, None)
    tenancy.drain()
    assert not tenancy.ended.is_set()
    tenancy.end(Stage.STUCK)
    assert (tenancy.stage, tenancy.ended.is_set()) == (Stage.STUCK, True)
    tenancy.end()
    assert tenancy.stage is Stage.ENDED


async def test_a_tenancy_without_start_client_or_close_is_an_orphan(tenancy):
    assert tenancy.is_orphan
    tenancy.spawn_task = asyncio.create_task(asyncio.sleep(0))
    assert not tenancy.is_orphan
    await tenancy.spawn_task
    assert tenancy.is_orphan
    tenancy.go_live(None, None)
    assert not tenancy.is_orphan
