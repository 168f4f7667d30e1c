"""The random numbers of a run: a seed, and named streams that never disturb each other."""

from __future__ import annotations

import hashlib
import random
import secrets

from harness.errors import BadInput

__all__ = ["SEED_MAX", "Randomness", "drawn_seed"]

SEED_MAX = 2**64 - 1

# People read out and type a drawn seed: 32 bits are enough, and at most ten digits.
_DRAWN_SEEDS = 2**32


def drawn_seed() -> int:
    """Draw a seed for a run without one; callers print and record it before its use."""
    return secrets.randbelow(_DRAWN_SEEDS)


class Randomness:
    """The random numbers that a seed decides.

    Each stream is keyed by sha256 of the seed and its name, so that drawing more from a stream, or
    from a new stream, changes no draw of another.

    Raises:
        BadInput: The seed is not a whole number from 0 to 2^64 - 1.
    """

    def __init__(self, seed: int) -> None:
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise BadInput(
                f"seed must be a whole number from 0 to {SEED_MAX}, got {seed!r}"
                f" ({type(seed).__name__}): pass an int"
            )
        if not 0 <= seed <= SEED_MAX:
            raise BadInput(
                f"seed must be from 0 to {SEED_MAX}, got {seed}: choose one in the range"
            )
        self.seed = seed
        self._streams: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Return the stream of this name, always the same object."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = random.Random(self.key(name))  # noqa: S311 - not secrets
        return stream

    def key(self, name: str) -> int:
        """Return the 256 bits that seed a stream: sha256 over the seed (8 bytes) and the name."""
        return int.from_bytes(hashlib.sha256(self.seed.to_bytes(8) + name.encode()).digest())
