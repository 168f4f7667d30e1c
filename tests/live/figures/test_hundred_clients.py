"""A hundred real clients at once: started, one account each, shut down, nothing left behind."""

from __future__ import annotations

import asyncio
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from serve import CreateClient, Network, Serve
from serve.domain.account_specs import KeyScheme
from serve.miden import MidenClientFactory

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENTS = 100
# A client holds about seven descriptors, beside those of its database.
DESCRIPTORS_MIN = 2_048


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def os_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_a_hundred_clients_live_at_once(
    node_endpoint: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(DESCRIPTORS_MIN, hard)), hard))
    factory = MidenClientFactory(dict.fromkeys(Network, node_endpoint))
    secrets = [number.to_bytes(32) for number in range(CLIENTS)]
    figures: dict[str, float] = {}

    async def main() -> None:
        before = open_descriptors()
        async with Serve(tmp_path, factory, key_scheme=KeyScheme.ECDSA) as serve:
            begin_s = time.perf_counter()
            handles = await asyncio.gather(
                *(serve.get_client(secret, Network.LOCALNET) for secret in secrets)
            )
            figures["spawned_s"] = time.perf_counter() - begin_s
            assert len(set(map(id, handles))) == CLIENTS
            figures["descriptors"] = open_descriptors() - before
            figures["threads"] = os_threads()
            begin_s = time.perf_counter()
            orders = await asyncio.gather(
                *(
                    serve.create_account_order(secret, CreateClient(network=Network.LOCALNET))
                    for secret in secrets
                )
            )
            figures["created_s"] = time.perf_counter() - begin_s
            assert len({order.account_id for order in orders}) == CLIENTS
            assert await serve.audit() == ()
            begin_s = time.perf_counter()
        figures["shut_down_s"] = time.perf_counter() - begin_s
        assert open_descriptors() <= before + CLIENTS // 10

    asyncio.run(main())
    for name, value in figures.items():
        record_property(name, value)
    print(f"{CLIENTS} clients (measured): {figures}; Python threads {threading.active_count()}")
