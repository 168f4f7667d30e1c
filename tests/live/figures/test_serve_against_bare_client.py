"""How much the serve core adds to the real client's own time: a ratio taken in one run."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from serve import CreateClient, Network, Serve
from serve.domain.account_specs import WalletSpec
from serve.miden import MidenClientFactory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

ROUNDS = 40
RATIO_MAX = 1.15
SECRET = bytes(range(32))
NETWORK = Network.LOCALNET


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    begin_s = time.perf_counter()
    await call()
    return time.perf_counter() - begin_s


def test_a_creation_through_serve_takes_little_longer_than_the_bare_client(
    node_endpoint: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    factory = MidenClientFactory(dict.fromkeys(Network, node_endpoint))
    storage = tmp_path / "serve"
    storage.mkdir()

    async def main() -> tuple[list[float], list[float]]:
        bare = await factory.spawn(tmp_path / "bare", NETWORK, dial_timeout_s=10.0)

        async def create_bare() -> None:
            account_id = await bare.prepare_account(WalletSpec())
            await bare.add_account(account_id)
            await bare.sync()

        async with Serve(storage, factory) as serve:

            async def create_served() -> None:
                await serve.create_account_order(SECRET, CreateClient(network=NETWORK))

            await create_bare()
            await create_served()
            bare_s, served_s = [], []
            for turn in range(ROUNDS):
                pair = [(create_bare, bare_s), (create_served, served_s)]
                for create, taken_s in pair if turn % 2 == 0 else reversed(pair):
                    taken_s.append(await timed(create))
        await bare.close()
        return bare_s, served_s

    bare_s, served_s = asyncio.run(main())
    bare_median_s, served_median_s = statistics.median(bare_s), statistics.median(served_s)
    ratio = served_median_s / bare_median_s
    record_property("bare_s_median", bare_median_s)
    record_property("served_s_median", served_median_s)
    record_property("ratio", ratio)
    print(
        f"creation, medians of {ROUNDS}: bare {bare_median_s * 1e3:.1f} ms,"
        f" through serve {served_median_s * 1e3:.1f} ms, ratio {ratio:.3f} (measured)"
    )
    assert ratio <= RATIO_MAX
