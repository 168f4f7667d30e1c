"""What a watcher replaces has one owner, which puts it back and acts in its own thread only."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import pytest

from harness.diagnosis.blocking_calls import BlockingCalls
from harness.diagnosis.dropped_coroutines import DroppedCoroutines
from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.task_origins import TaskOrigins, origin_of
from harness.errors import HarnessBug
from harness.processes.patches import Patches, active
from tests.there import there

WATCHERS = {
    "blocking calls": lambda: BlockingCalls(lambda: 0.0),
    "dropped coroutines": DroppedCoroutines,
    "locks": LockLedger,
    "task origins": TaskOrigins,
}


class Watcher:
    pass


def elsewhere(act):
    results = []
    thread = threading.Thread(target=lambda: results.append(act()))
    thread.start()
    thread.join()
    return results[0]


def test_what_is_replaced_twice_is_put_back_as_it_was():
    patches, owner = Patches(Watcher()), SimpleNamespace(value=1)
    patches.open()
    patches.replace(owner, "value", 2)
    patches.replace(owner, "value", 3)
    patches.close()
    assert owner.value == 1


@pytest.mark.parametrize("make", WATCHERS.values(), ids=WATCHERS)
def test_a_watcher_is_not_opened_twice_and_may_be_opened_again(make):
    for _ in range(2):
        with make() as one, pytest.raises(HarnessBug, match="is open already: close it"), make():
            pass
        assert active(type(one)) is None


def test_the_patches_act_in_the_thread_that_opened_them():
    patches = Patches(Watcher())
    assert not patches.acts()
    patches.open()
    assert patches.acts()
    assert not elsewhere(patches.acts)
    patches.close()
    assert not patches.acts()


async def hold():
    lock = asyncio.Lock()
    async with lock:
        await asyncio.sleep(0.001)
    return origin_of(there(asyncio.current_task()))


def test_a_loop_of_another_thread_is_not_watched():
    with LockLedger() as ledger, TaskOrigins():
        assert elsewhere(lambda: asyncio.run(hold())) is None
        assert ledger.holds == []
        assert asyncio.run(hold()) is not None
        assert len(ledger.holds) == 1
