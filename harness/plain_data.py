"""Own the turning of a service's values into plain, comparable, JSON-able data."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from enum import Enum
from pathlib import PurePath
from typing import Any

from harness.history import ErrorRecord

__all__ = ["PlainData"]

DEPTH_MAX = 20
OUR_OWN_BASES = frozenset({"object", "BaseException", "Exception"})


class PlainData:
    """Converts values; objects that are no data get a number, the same for the same object.

    ``scrub`` maps texts that differ from run to run (a temporary folder) to what stands for them.
    """

    def __init__(self, scrub: Mapping[str, str]) -> None:
        self._scrub = dict(scrub)
        # Objects are kept, so that no later one can be given the identity of an earlier one.
        self._objects: dict[int, tuple[int, object]] = {}

    def of(self, value: Any, *, depth: int = 0) -> Any:
        """Convert a value: dataclasses become dicts, bytes hex, sets sorted lists."""
        if depth > DEPTH_MAX:
            return "…"
        if isinstance(value, Enum):
            return self.of(value.value, depth=depth + 1)
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str | PurePath):
            return self.text(str(value))
        if isinstance(value, bytes | bytearray):
            return value.hex()
        return self._structure(value, depth=depth + 1)

    def text(self, value: str) -> str:
        """Replace what differs from run to run."""
        for found, instead in self._scrub.items():
            value = value.replace(found, instead)
        return value

    def error(self, error: BaseException) -> ErrorRecord:
        """Convert an exception with the chain of its causes."""
        chain: list[str] = []
        cause = error.__cause__ or error.__context__
        while cause is not None and len(chain) < DEPTH_MAX:
            chain.append(self.text(f"{type(cause).__name__}: {cause}"))
            cause = cause.__cause__ or cause.__context__
        bases = [one.__name__ for one in type(error).__mro__[1:]]
        return ErrorRecord(
            type=type(error).__name__,
            message=self.text(str(error)),
            chain=tuple(chain),
            bases=tuple(name for name in bases if name not in OUR_OWN_BASES),
        )

    def _structure(self, value: Any, *, depth: int) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {
                field.name: self.of(getattr(value, field.name), depth=depth)
                for field in dataclasses.fields(value)
            }
        if isinstance(value, Mapping):
            return {str(self.of(key)): self.of(one, depth=depth) for key, one in value.items()}
        if isinstance(value, Set):
            return sorted((self.of(one, depth=depth) for one in value), key=repr)
        if isinstance(value, Sequence):
            return [self.of(one, depth=depth) for one in value]
        number, _ = self._objects.setdefault(id(value), (len(self._objects), value))
        return {"object": type(value).__name__, "number": number}
