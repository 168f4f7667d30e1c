"""The speed of the virtual loop against its rivals, both measured in one run."""

from __future__ import annotations

import asyncio
import time

import pytest

from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.simulation import simulate
from tests.benchmarks.recording import HARNESS
from tests.report.document import Kind

# What the virtual loop must reach. Ratios of two measurements in one run, so that the machine and
# its load touch both sides; the figures behind them are printed.
RING_SHARE_MAX = 0.55
SLEEPS_FACTOR_MIN = 2.5
ROUNDS = 9

RING_TASKS = 100
RING_HOPS = 200
SLEEP_TASKS = 100
SLEEPS_EACH = 3_600


async def ring():
    """Pass one token round 100 tasks 200 times, from queue to queue: 20,000 hops, no time."""
    queues = [asyncio.Queue() for _ in range(RING_TASKS)]

    async def pass_on(number):
        source, target = queues[number], queues[(number + 1) % RING_TASKS]
        for _ in range(RING_HOPS):
            await target.put(await source.get())

    queues[0].put_nowait("token")
    await asyncio.gather(*(pass_on(number) for number in range(RING_TASKS)))


async def sleeps():
    """Let 100 tasks sleep 1 to 2 seconds 3,600 times each."""

    async def tick(number):
        for _ in range(SLEEPS_EACH):
            await asyncio.sleep(1 + number / SLEEP_TASKS)

    await asyncio.gather(*(tick(number) for number in range(SLEEP_TASKS)))
    return asyncio.get_running_loop().time()


def on_stock(program):
    return asyncio.run(program())


def on_solipsism(program):
    import async_solipsism  # noqa: PLC0415 - where it is missing, the others are still measured

    with asyncio.Runner(loop_factory=async_solipsism.EventLoop) as runner:
        return runner.run(program())


def simulated(program):
    """Run as the harness does: guards, lock ledger and trace on."""
    outcome = simulate(program, seed=1)
    assert outcome.error is None
    assert outcome.steps > 20_000
    return outcome.value


def cpu_s(call, program):
    begin = time.process_time()
    call(program)
    return time.process_time() - begin


def medians(recorded, what, rival, on_rival, program):
    """Measure both sides by turns; return the medians (rival, ours) in CPU seconds."""
    return recorded.by_turns(
        what,
        rival,
        theirs=lambda: cpu_s(on_rival, program),
        ours=lambda: cpu_s(simulated, program),
        rounds=ROUNDS,
    )


@pytest.mark.claim(
    text="The virtual loop passes a token round 100 tasks, 20,000 hops from queue to queue, in"
    " about half the CPU time of stock asyncio, with guards, lock ledger and trace on.",
    bound=f"at most {RING_SHARE_MAX} of stock asyncio's time: {1 / RING_SHARE_MAX:.2f} x as fast",
    section="Speed of the virtual loop",
)
def test_the_ring_takes_at_most_eleven_twentieths_of_stock_asyncio(capsys, recorded):
    stock_s, ours_s = medians(recorded, "the ring, 20,000 hops", "asyncio", on_stock, ring)
    hops = RING_TASKS * RING_HOPS
    with capsys.disabled():
        print(
            f"\nring, {hops} hops: stock asyncio {stock_s / hops * 1e6:.2f} us/hop,"
            f" virtual loop {ours_s / hops * 1e6:.2f} us/hop, share {ours_s / stock_s:.3f}"
        )
    assert ours_s / stock_s <= RING_SHARE_MAX


@pytest.mark.claim(
    text="Of 360,000 sleeps in virtual time the loop makes more than twice as many a CPU second as"
    " async-solipsism, which does nothing else.",
    bound=f"at least {SLEEPS_FACTOR_MIN} x as fast",
    section="Speed of the virtual loop",
)
def test_sleeps_are_at_least_two_and_a_half_times_as_fast_as_on_async_solipsism(capsys, recorded):
    virtual_s = simulate(sleeps, seed=1).value
    recorded.figure(
        "time that the 360,000 sleeps take on the loop's clock",
        HARNESS,
        virtual_s,
        kind=Kind.VIRTUAL,
        samples=1,
    )
    what = "360,000 sleeps of 100 tasks"
    rival_s, ours_s = medians(recorded, what, "async-solipsism", on_solipsism, sleeps)
    with capsys.disabled():
        print(
            f"\nsleeps, {SLEEP_TASKS * SLEEPS_EACH}: async-solipsism"
            f" {virtual_s / rival_s:.0f} simulated s per CPU s,"
            f" virtual loop {virtual_s / ours_s:.0f}, factor {rival_s / ours_s:.2f}"
        )
    assert rival_s / ours_s >= SLEEPS_FACTOR_MIN


def on_virtual_loop_alone(program):
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(program())


@pytest.mark.parametrize("side", [on_stock, simulated, on_virtual_loop_alone])
def test_ring_figures(benchmark, side):
    benchmark.pedantic(side, args=(ring,), rounds=5, warmup_rounds=1)


def test_empty_run_figures(benchmark):
    async def nothing():
        return None

    benchmark(lambda: simulate(nothing, seed=1))
