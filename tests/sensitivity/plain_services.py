"""Small services that know nothing of serve: one sound, and others with one thing wrong each."""

from __future__ import annotations

import asyncio
from typing import Any

DISK_S = 0.01


class Shelf:
    """Keeps values by key on a slow disk; what was put is what is read from then on."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    async def put(self, key: str, value: Any) -> None:
        await asyncio.sleep(DISK_S)
        self._values[key] = value
        await asyncio.sleep(DISK_S)

    async def get(self, key: str) -> Any:
        await asyncio.sleep(DISK_S / 2)
        return self._values.get(key)


class CachedShelf(Shelf):
    """Remembers what it has read, and forgets to forget it when another value is put."""

    def __init__(self) -> None:
        super().__init__()
        self._cache: dict[str, Any] = {}

    async def get(self, key: str) -> Any:
        if key not in self._cache:
            self._cache[key] = await super().get(key)
        return self._cache[key]
