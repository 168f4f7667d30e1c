"""The entries that need several unlucky choices at once, or one that lasts for long."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

from tests.sensitivity.zoo.entry import turns, zoo_entry

__all__ = ["ENTRIES", "RAREST"]


async def ward(count: int, *, keep: int, mended: bool) -> None:
    """Let each of ``count`` on call leave, if ``keep`` others stay as far as it sees."""
    on_call, lock = count, asyncio.Lock()

    async def leave(after):
        nonlocal on_call
        await turns(after)
        async with lock if mended else nullcontext():
            enough = on_call > keep
            await turns()
            if enough:
                on_call -= 1

    await asyncio.gather(*(leave(4 * number) for number in range(count)))
    assert on_call >= 1


@zoo_entry(hazard="write skew: all look, then all leave", symptom="on_call >= 1", depth=2, shrunk=4)
async def ward_left_alone(mended: bool) -> None:
    """One of four stays on call; the rule is that two do."""
    await ward(4, keep=2, mended=mended)


@zoo_entry(hazard="write skew: all look, then all leave", symptom="on_call >= 1", depth=3, shrunk=5)
async def large_ward_left_alone(mended: bool) -> None:
    """One of five stays on call; the rule is that three do."""
    await ward(5, keep=3, mended=mended)


@zoo_entry(hazard="compare-and-set gives up", symptom="saved", depth=2, shrunk=4)
async def gives_up_after_two_conflicts(mended: bool) -> None:
    """A change is saved though others save theirs, too."""
    version, saved = 0, False

    async def save():
        nonlocal version, saved
        for _ in range(9 if mended else 2):
            seen = version
            await turns()
            if version == seen:
                version += 1
                saved = True
                return
            await turns()

    async def other(after):
        nonlocal version
        await turns(after)
        version += 1

    await asyncio.gather(save(), other(5), other(12))
    assert saved


@zoo_entry(hazard="a quorum of replicas that are behind", symptom='answer == "new"', depth=3)
async def stale_quorum(mended: bool) -> None:
    """Who reads after a write was accepted reads what was written."""
    replicas, answer = ["old"] * 3, None
    applied = [asyncio.Event() for _ in replicas]

    async def apply(number):
        await turns()
        replicas[number] = "new"
        applied[number].set()

    async def read():
        nonlocal answer
        for _ in range(12):
            await turns()
            if "new" in replicas:
                break
        if mended:
            await applied[0].wait()
        answer = "new" if "new" in replicas else "old"

    await asyncio.gather(*(apply(number) for number in range(3)), read())
    assert answer == "new"


@zoo_entry(hazard="every fallback is given up too soon", symptom="served !=", depth=3)
async def all_fallbacks_missed(mended: bool) -> None:
    """A client is served by one of three servers that are about to come up."""
    up = [asyncio.Event() for _ in range(3)]
    served = "nobody"

    async def server(number):
        await turns(2)
        up[number].set()

    async def client():
        nonlocal served
        for number, event in enumerate(up):
            for _ in range(10):
                await turns()
                if event.is_set():
                    served = f"server {number}"
                    return
        if mended:
            await up[0].wait()
            served = "server 0"

    await asyncio.gather(*(server(number) for number in range(3)), client())
    assert served != "nobody"


ENTRIES = (
    ward_left_alone,
    large_ward_left_alone,
    gives_up_after_two_conflicts,
    stale_quorum,
    all_fallbacks_missed,
)
RAREST = all_fallbacks_missed
