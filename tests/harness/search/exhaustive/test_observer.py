"""What a step is seen to read and write; and that what is not known counts as everything."""

from __future__ import annotations

import asyncio
import collections
import dis
import functools
import itertools
import random

import pytest

from harness.choices.kinds import DefaultPolicy
from harness.search.exhaustive.bytecode.code_segments import accesses_of, suspends_in
from harness.search.exhaustive.footprint import EVERYTHING, Footprint
from harness.search.exhaustive.observation.builtin_effects import NOTHING, UNKNOWN, effect_of
from harness.search.exhaustive.observation.observer import FootprintObserver
from harness.simulated.loop.core import core_name
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.virtual_loop import VirtualLoop


def observed(call, *, meet=()):
    """Observe a call as if it were a step; return its touches and the observer."""
    observer = FootprintObserver()
    for thing in meet:
        observer.names.number_of(thing)
    touches = observer.begin(call)
    try:
        call()
    finally:
        observer.end()
    touches.number(observer.names)
    return touches, observer


def touched(call, thing):
    """Return how a thing's contents were touched: a set of "read" and "written"."""
    touches, observer = observed(call, meet=[thing])
    number = observer.names.number_of(thing)
    return {
        "written" if written else "read"
        for what, which, written in touches.all()
        if what == "items" and which in {number, None}
    }


def footprint(*touches):
    return Footprint(touches)


READ, WRITTEN = ("items", 1, False), ("items", 1, True)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        (footprint(READ), footprint(READ), False),
        (footprint(READ), footprint(WRITTEN), True),
        (footprint(WRITTEN), footprint(WRITTEN), True),
        (footprint(WRITTEN), footprint(("items", 2, True)), False),
        (footprint(WRITTEN), footprint(("items", None, False)), True),
        (footprint(READ), footprint(("items", None, False)), False),
        (footprint(READ), footprint(("items", None, True)), True),
        (footprint(("items", None, True)), footprint(("items", None, False)), True),
        (footprint(WRITTEN), footprint((".items", 1, True)), False),
        (footprint(), footprint(WRITTEN), False),
        (EVERYTHING, footprint(), True),
    ],
)
def test_steps_conflict_if_one_writes_what_the_other_may_touch(one, other, conflict):
    assert one.conflicts(other) is conflict
    assert other.conflicts(one) is conflict


def test_what_has_no_stable_number_may_be_any_thing_in_another_run():
    found = footprint(("items", 1, True), ("items", 7, False))
    general = found.generalised(5)
    assert general.touches == {("items", 1, True), ("items", None, False)}
    assert found.generalised(8) is found


table = {"a": 1}
rows = [1, 2]
state = collections.namedtuple("State", "rows")(rows)


class Holder:
    kind = 0

    def __init__(self):
        self.rows = rows
        self.count = 0

    def grow(self):
        self.rows.append(1)
        self.rows.pop()

    def add(self, number):
        self.count += number

    def swap_then_write(self, other):
        self.rows = other
        self.rows[0] = 1

    def write_then_swap(self, other):
        self.rows[0] = 1
        self.rows = other

    def write_what_is_swapped_meanwhile(self, other):
        self.rows[self.swap(other)] = 1

    def swap(self, other):
        self.rows = other
        return 0

    def set_kind(self):
        type(self).kind = 0


prepared = functools.partial(len, rows)


def calls_prepared():
    return prepared()


@functools.lru_cache
def remembered(number):
    return number


def reads_item():
    return table["a"]


def writes_item():
    table["a"] = 1


def adds_to_item():
    table["a"] += 0


def deletes_item():
    table["z"] = 1
    del table["z"]


def looks_for_item():
    return "a" in table


def looks_if_any():
    return 1 if table else 0


def iterates():
    return [row for row in rows]  # noqa: C416


def adds_in_place():
    global rows  # noqa: PLW0603
    rows += []


def unpacks():
    first, second = rows
    return first, second


def unpacks_the_rest():
    first, *others = rows
    return first, others


def copies():
    return list(rows)


def measures():
    return len(rows)


def formats():
    return f"{rows}"


@pytest.mark.parametrize(
    ("call", "thing", "how"),
    [
        (reads_item, table, {"read"}),
        (writes_item, table, {"written"}),
        (adds_to_item, table, {"read", "written"}),
        (deletes_item, table, {"written"}),
        (looks_for_item, table, {"read"}),
        (looks_if_any, table, {"read"}),
        (iterates, rows, {"read"}),
        (unpacks, rows, {"read"}),
        (unpacks_the_rest, rows, {"read"}),
        (copies, rows, {"read"}),
        (measures, rows, {"read"}),
        (formats, rows, {"read"}),
        (Holder().grow, rows, {"written"}),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_done_to_a_container_is_seen(call, thing, how):
    assert touched(call, thing) == how


def test_adding_in_place_writes():
    assert "written" in touched(adds_in_place, rows)


def test_a_plain_number_is_no_container():
    def counts():
        number = 1
        number += 2
        return number > 3 or not number

    assert not [one for one in observed(counts)[0].all() if one[0] == "items"]


def test_attributes_of_two_objects_are_two_things():
    one, other = Holder(), Holder()
    touches, observer = observed(lambda: one.add(1), meet=[one, other])
    written = {(what, number) for what, number, wrote in touches.all() if wrote}
    assert written == {(".count", observer.names.number_of(one))}


def test_an_attribute_that_is_deleted_is_written():
    one = Holder()

    def deletes():
        del one.count

    touches, observer = observed(deletes, meet=[one])
    assert (".count", observer.names.number_of(one), True) in touches.all()


def test_an_attribute_of_a_class_is_any_object_s():
    touches, _ = observed(Holder().set_kind)
    assert (".kind", None, True) in touches.all()


def test_what_is_found_by_a_name_bound_before_is_known():
    first = [0]
    touches, observer = observed(lambda: Holder().swap_then_write(first))
    written = {number for what, number, wrote in touches.all() if what == "items" and wrote}
    assert written == {observer.names.number_of(first)}


@pytest.mark.parametrize("writes", [Holder.write_then_swap, Holder.write_what_is_swapped_meanwhile])
def test_what_a_step_rebinds_may_name_any_thing(writes):
    touches, _ = observed(lambda: writes(Holder(), [0]))
    assert ("items", None, True) in touches.all()


def adds_late(box):
    """Make a coroutine that reads before its await, and writes behind it."""

    async def work():
        seen = box["n"]
        await asyncio.sleep(0)
        box["n"] = seen + 1

    return work()


def test_a_coroutine_that_stands_behind_its_yield_has_not_gone_on():
    """CPython 3.13 says so of one that is suspended; earlier ones say that it is at the yield."""
    box = {"n": 0}

    async def work():
        await asyncio.sleep(0)
        box["n"] = 1

    code = work.__code__
    offsets = [one.offset for one in dis.get_instructions(code)]
    (at,) = (one.offset for one in dis.get_instructions(code) if one.opname == "YIELD_VALUE")
    behind = offsets[offsets.index(at) + 1]
    assert {at, behind} <= suspends_in(code)
    assert accesses_of(code, 0, behind) == accesses_of(code, 0, at)
    assert accesses_of(code, behind, offsets[-1]) != accesses_of(code, 0, at)


def test_a_name_that_is_bound_anew_behind_a_call_is_the_new_thing():
    """Up to CPython 3.12 a caller is said to be at a cache, where no instruction begins."""
    first, second = {"n": 0}, {"n": 0}

    def rebinds():
        box = first
        helper()
        box = second
        box["n"] = 1

    def helper():
        return None

    touches, observer = observed(rebinds, meet=[first, second])
    written = {number for what, number, wrote in touches.all() if what == "items" and wrote}
    assert written == {observer.names.number_of(second)}


class Keeper(Holder):
    def grow_by(self, *, some):
        self.rows = some

    def keep(self):
        super().__init__()
        self.grow_by(some=1)


def test_calls_with_keywords_and_of_super_are_known():
    """They are instructions of their own: from CPython 3.13 on the one, from 3.12 on the other."""
    keeper = Keeper()
    touches, observer = observed(keeper.keep, meet=[keeper])
    assert not touches.everything, touches.why
    assert (".rows", observer.names.number_of(keeper), True) in touches.all()


def test_only_what_was_run_is_seen_of_a_coroutine():
    box = {"n": 0}
    coroutine = adds_late(box)
    assert touched(lambda: coroutine.send(None), box) == {"read"}
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_a_coroutine_that_goes_on_is_seen_behind_its_await():
    box = {"n": 0}
    coroutine = adds_late(box)
    coroutine.send(None)

    def goes_on():
        try:
            coroutine.send(None)
        except StopIteration:
            return

    assert touched(goes_on, box) == {"written"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: random.Random(1).random(),
        calls_prepared,
        lambda: remembered(1),
        lambda: Holder().__dict__,
        lambda: exec("1"),
    ],
    ids=["C object", "partial", "lru_cache", "__dict__", "exec"],
)
def test_what_is_not_known_counts_as_everything(call):
    touches, _ = observed(call)
    assert touches.everything, touches.all()
    assert touches.why


def test_a_shared_iterator_is_written_by_next():
    numbers = itertools.count()
    assert observed(lambda: next(numbers))[0].everything
    rows = iter([1, 2])
    touches, observer = observed(lambda: next(rows))
    assert {
        ("items", observer.names.number_of(rows), True),
        ("items", None, False),
    } <= touches.all()


def test_an_attribute_that_is_named_by_a_text_is_known():
    one = Holder()
    touches, observer = observed(lambda: setattr(one, "count", 1))
    assert (".count", observer.names.number_of(one), True) in touches.all()
    assert not touches.everything


def test_a_lock_is_one_thing_that_is_written():
    async def main():
        lock = asyncio.Lock()
        taking = lock.acquire()
        touches, _ = observed(lambda: taking.close() or lock.locked(), meet=[lock])
        return {one for one in touches.all() if one[0].startswith("primitive")}

    assert asyncio.run(main()) == {("primitive Lock", 0, True)}


@pytest.mark.parametrize(
    ("function", "effect"),
    [
        ([].append, ("items", True, "")),
        ([].extend, ("items", True, "iterate")),
        ([].index, ("compared", False, "deep")),
        ({}.get, ("items", False, "")),
        (collections.defaultdict(list).__getitem__, ("items", True, "")),
        ({}.setdefault, ("items", True, "")),
        (set().add, ("items", True, "")),
        (collections.deque().popleft, ("items", True, "")),
        ("x".join, ("", False, "deep")),
        ("x".format, ("", False, "format")),
        (isinstance, ("", False, "")),
        (sorted, ("iterated", False, "deep")),
        (print, ("output", True, "deep")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_builtins_are_told_by_what_they_do(function, effect):
    found = effect_of(function)
    assert (found.what, found.written, found.arguments) == effect


def test_what_a_compiled_loop_is_asked_touches_nothing_but_for_cancelling():
    if core_name() != "compiled":
        pytest.skip("the plain core is no builtin")
    for loop in (VirtualLoop(), ExploringLoop(policy=DefaultPolicy())):
        calls = [loop.__dict__[name] for name in ("call_soon", "call_later", "create_future")]
        assert [effect_of(call) for call in calls] == [NOTHING] * 3
        assert effect_of(loop.call_soon(print).cancel) is UNKNOWN
        loop.close()


def test_an_unknown_builtin_is_unknown():
    assert effect_of(random.Random(1).getrandbits) is UNKNOWN


def test_code_behind_a_suspension_is_no_part_of_a_segment():
    async def work(box, other):
        box.first = 1
        await other
        box.second = 2

    code = work.__code__
    offsets = [one for one in range(0, len(code.co_code), 2)]  # noqa: C416
    suspended = max(
        offset
        for offset in offsets
        if "second" not in str(accesses_of(code, 0, offset))
        and "first" in str(accesses_of(code, 0, offset))
    )
    assert "second" in str(accesses_of(code, suspended, offsets[-1]))
    assert "first" not in str(accesses_of(code, suspended, offsets[-1]))
