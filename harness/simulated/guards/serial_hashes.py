"""Hashes of futures that follow from the run, so that a set of futures has one order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.processes.below_python import KNOWN, HashSite, original

if TYPE_CHECKING:
    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["SerialHashes"]

_address_of = original(id)
_BITS = 64
_SIGN = 1 << (_BITS - 1)
_NAME = "_harness_serial"


class SerialHashes:
    """Has the futures of one loop hash by the order in which that was asked of them first.

    CPython hashes them by their address, which differs from process to process. The virtual loop's
    tasks have a hash of their own, see ``VirtualTask``.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last = 0

    def guard(self, patches: PreparedPatches) -> None:
        """Hash so while the patches are open."""
        if KNOWN and isinstance(asyncio.Future, type):
            site = HashSite(asyncio.Future, self._hash)
            patches.add(site.replace, site.put_back)

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count from the beginning, for the futures of this loop."""
        self._loop, self._last = loop, 0

    def _hash(self, future: Any) -> int:
        try:
            if future._loop is not self._loop:
                return _by_address(future)
            serial = getattr(future, _NAME, 0)
            if not serial:
                serial = self._last = self._last + 1
                setattr(future, _NAME, serial)
        except Exception:  # noqa: BLE001 - C asked, and takes no exception
            return _by_address(future)
        return serial


def _by_address(thing: object) -> int:
    """Hash as CPython does: the address, turned by four bits, with a sign."""
    address = _address_of(thing)
    turned = address >> 4 | (address & 15) << (_BITS - 4)
    signed = turned - (1 << _BITS) if turned & _SIGN else turned
    return -2 if signed == -1 else signed
