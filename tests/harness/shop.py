"""The text of a small service with a bug in it, and of the scenario that finds the bug."""

from __future__ import annotations

SHOP = """\
import asyncio


class Shop:
    def __init__(self):
        self._paid = []

    async def pay(self, user: str) -> int:
        await asyncio.to_thread(len, "")
        if user == "bob" and "alice" not in self._paid:
            raise RuntimeError("bob overtook alice")
        self._paid.append(user)
        return len(self._paid)


class SoundShop:
    async def pay(self, user: str) -> int:
        await asyncio.to_thread(len, "")
        return 1
"""
_SCENARIO = """\
claim = "Alice and Bob pay."
system = "{module}:Shop"
users = ["alice", "bob"]

[[phase]]
name = "pay"
[[phase.do]]
id = "pay"
call = "pay"
user = "each"

[check]
success_share = { of = "pay", at_least = 1.0 }
"""


def paying_at(module):
    """Return the scenario of two users who pay at the shop in a module of this name."""
    return _SCENARIO.replace("{module}", module)
