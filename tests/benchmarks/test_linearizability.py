"""The speed of the linearizability checker against its rival's, both measured in one run."""

from __future__ import annotations

import importlib
import random
import time
from typing import Any

import pytest

from harness.consistency import Call, Map, check
from harness.results.verdict import Verdict
from tests.benchmarks.recording import installed

# Ours must take less CPU time than the rival on each history: medians of rounds taken by turns.
SHARE_MAX = 1.0
ROUNDS = 7
# The rival takes seconds to refuse a long history of one key.
ROUNDS_SLOW = 1
CLIENTS = 10
OPERATIONS = 1_000


def history(*, keys, values, bent=False):
    """Run ten clients on a map: each has one call at a time, with a moment at which it happens.

    With ``values`` None every write has a value of its own. ``bent``: the last read is wrong. Gives
    (client, begin, end, key, value or None for a read, what a read saw).
    """
    rng = random.Random(1)
    free = [rng.random() for _ in range(CLIENTS)]
    drawn = []
    for number in range(OPERATIONS):
        client = min(range(CLIENTS), key=free.__getitem__)
        begin = free[client]
        moment = begin + rng.random()
        end = moment + rng.random()
        free[client] = end + rng.random() / 5
        value = number if values is None else rng.randrange(values)
        written = value if rng.random() < 0.5 else None
        drawn.append((moment, client, begin, end, rng.randrange(keys), written))
    content = {}
    calls = []
    for _, client, begin, end, key, written in sorted(drawn):
        if written is not None:
            content[key] = written
        calls.append((client, begin, end, key, written, content.get(key)))
    if bent:
        last = max(number for number, one in enumerate(calls) if one[4] is None)
        calls[last] = (*calls[last][:5], -1)
    return sorted(calls, key=lambda one: one[1])


def as_ours(calls):
    return [
        Call(
            process=client,
            operation="read" if written is None else "write",
            arguments=(key,) if written is None else (key, written),
            begin=begin,
            end=end,
            result=seen if written is None else None,
        )
        for client, begin, end, key, written, seen in calls
    ]


def as_theirs(rival, calls):
    found = rival.History()
    moments = [(begin, 0, number) for number, (_, begin, *_) in enumerate(calls)]
    moments += [(end, 1, number) for number, (_, _, end, *_) in enumerate(calls)]
    invoked = {}
    for _, ends, number in sorted(moments):
        client, _, _, key, written, seen = calls[number]
        if ends:
            found.ok(invoked[number], seen if written is None else None)
        elif written is None:
            invoked[number] = found.invoke(client, "get", key)
        else:
            invoked[number] = found.invoke(client, "put", (key, written))
    return found


def cpu_s(judge):
    begin = time.process_time()
    judge()
    return time.process_time() - begin


@pytest.mark.claim(
    text="A history of a thousand calls is judged in less CPU time than by detangle, whether it"
    " fits or fails, with few and with many keys and values.",
    bound="faster than detangle in each of the cases",
    section="Checking histories",
)
@pytest.mark.parametrize("bent", [False, True], ids=["fits", "fails"])
@pytest.mark.parametrize("values", [2, 5, 50, None], ids=lambda values: f"{values or 'own'}-values")
@pytest.mark.parametrize("keys", [1, 10], ids=["1-key", "10-keys"])
def test_a_history_of_a_thousand_calls_is_judged_in_less_time_than_by_the_rival(
    keys, values, bent, capsys, recorded
):
    calls = history(keys=keys, values=values, bent=bent)
    ours = as_ours(calls)
    assert check(ours, Map()).verdict is (Verdict.FAILED if bent else Verdict.PASSED)
    rival: Any = None
    theirs: Any = None
    if installed("detangle"):
        rival = importlib.import_module("detangle.lin")
        theirs = as_theirs(rival, calls)
        assert theirs.check(rival.KV()).ok is not bent
    theirs_s, ours_s = recorded.by_turns(
        f"{keys} keys, {values or 'own'} values, {'fails' if bent else 'fits'}",
        "detangle",
        theirs=lambda: cpu_s(lambda: theirs.check(rival.KV())),
        ours=lambda: cpu_s(lambda: check(ours, Map())),
        rounds=ROUNDS_SLOW if bent and keys == 1 else ROUNDS,
    )
    with capsys.disabled():
        print(
            f"\n{OPERATIONS} calls, {CLIENTS} clients, {keys} keys, {values or 'own'} values,"
            f" {'fails' if bent else 'fits'}: detangle {theirs_s * 1e3:.2f} ms,"
            f" ours {ours_s * 1e3:.2f} ms, {theirs_s / ours_s:.1f} times as fast"
        )
    assert ours_s / theirs_s < SHARE_MAX


def test_figures(benchmark):
    calls = as_ours(history(keys=1, values=5))
    benchmark(lambda: check(calls, Map()))
