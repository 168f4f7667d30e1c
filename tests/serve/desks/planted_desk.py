"""A desk of Ann's that tests put into the store before a service opens it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from serve import AccountId, DeskRecord, Network, TopStore, encode_address, owner_identifier

ANN = bytes([1]) * 32
TESTNET = Network.TESTNET
DESK = encode_address(AccountId(bytes([9]) + bytes(6) + b"\x11" + bytes(7)), TESTNET)


def desk_record(**changes: Any) -> DeskRecord:
    """Make a row of a desk of Ann's; ``changes`` are fields."""
    record = DeskRecord(
        desk_account=DESK,
        owner_identifier=owner_identifier(ANN),
        owner_account=None,
        path="",
        network="Testnet",
        base_code="BTC",
        base_issuer="b",
        quote_code="USDC",
        quote_issuer="q",
    )
    return replace(record, **changes)


async def plant_desk(path, desk_account=DESK, state="active"):
    async with TopStore.opened(path) as top:
        await top.insert_desk(desk_record(desk_account=desk_account, state=state))
