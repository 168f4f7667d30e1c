"""The corpus of correct programs: none of them may be accused, whoever is cancelled."""

from __future__ import annotations

from tests.sensitivity.correct import (
    caches,
    contexts,
    coordination,
    limiters,
    machines,
    messages,
    pools,
    retries,
    streams,
    supervision,
    timing,
    wire,
    workers,
)
from tests.sensitivity.zoo.catalogue import ZOO

__all__ = ["CORRECT", "MENDED", "PROGRAMS", "RELIES_ON_ORDER"]

_MODULES = (
    streams, limiters, pools, retries, caches, messages, supervision, timing, machines,
    coordination, contexts, wire, workers,
)  # fmt: skip

PROGRAMS = [program for module in _MODULES for program in module.PROGRAMS]
CORRECT = {program.__name__: program for program in PROGRAMS}


def _mended(name):
    async def program():
        await ZOO[name].program(True)

    return program


# The mended twins of the zoo are correct, too.
MENDED = {f"{name}, mended": _mended(name) for name in ZOO}

# Programs that may fail where ready tasks change places, or where time runs ahead of them, and why.
# On asyncio neither happens.
RELIES_ON_ORDER: dict[str, str] = {}
