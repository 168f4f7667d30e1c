"""Claims: several processes may open a fresh desk table at once; each finds or makes its schema."""

from __future__ import annotations

import asyncio

from serve import owner_identifier
from serve.domain.address import AccountId, Network, encode_address
from serve.domain.records import DeskRecord
from serve.store.top_store import TopStore


def test_independent_openers_of_a_fresh_desk_table_all_write(tmp_path):
    def record(number: int) -> DeskRecord:
        desk = AccountId(bytes([number]) + bytes(6) + b"\x11" + bytes(7))
        return DeskRecord(
            desk_account=encode_address(desk, Network.LOCALNET),
            owner_identifier=owner_identifier(bytes([number]) * 32),
            owner_account=None,
            path="",
            network="Localnet",
            base_code="A",
            base_issuer="",
            quote_code="B",
            quote_issuer="",
        )

    async def plant(number: int) -> None:
        async with TopStore.opened(tmp_path) as desks:
            await desks.insert_desk(record(number))

    async def main() -> int:
        await asyncio.gather(*(plant(number) for number in range(16)))
        async with TopStore.opened(tmp_path) as desks:
            return len(await desks.list_desks())

    assert asyncio.run(main()) == 16
