"""The correct programs that use public libraries: see requirements.txt beside this file."""

from __future__ import annotations

from tests.figures.public_programs import (
    caching,
    limiting,
    retrying,
    serving,
    signalling,
    streaming,
    with_anyio,
)

__all__ = ["PUBLIC", "RELIES_ON_ORDER"]

_MODULES = (with_anyio, retrying, limiting, streaming, caching, serving, signalling)
PUBLIC = {program.__name__: program for module in _MODULES for program in module.PROGRAMS}

# As in the corpus of our own programs: why an order that asyncio never takes may break one.
RELIES_ON_ORDER: dict[str, str] = {}
