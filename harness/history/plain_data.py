"""The conversion of a service's values to plain, comparable, JSON-able data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import math
import re
from collections import UserString
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from harness.history.records import ErrorRecord

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PlainData"]

DEPTH_MAX = 20
ITEMS_MAX = 100_000
TEXT_LETTERS_MAX = 100_000
TEXT_LETTERS_KEPT = 1_000
NUMBER_BITS_MAX = 4_096
CHAIN_MAX = 20
OUR_OWN_BASES = frozenset({"object", "BaseException", "Exception"})
# Python's default repr names a place in memory: "<Task object at 0x7f8a...>", "<function
# f.<locals>.g at 0x7f8a...>", "<code object f at 0x7f8a..., file ...>".
ADDRESS = re.compile(r"(?<= at )0x[0-9A-Fa-f]{4,16}(?=[ >,;:)])")
# How far from an address its brackets are looked for.
REPR_LETTERS_MAX = 4_000
AS_TEXT = (PurePath, UserString, Decimal, Fraction, UUID, complex, dt.timedelta, dt.tzinfo)
DATES = (dt.date, dt.time)


class PlainData:
    """Converts values; an object that is not data gets a number, the same for the same object.

    ``scrub`` maps texts that differ from run to run (a temporary directory) to their replacements.
    The outcome depends on the values only: never on memory, hashing or time.
    """

    def __init__(self, scrub: Mapping[str, str]) -> None:
        # The longest first, so that the path of an inner folder is replaced whole.
        self._scrub = sorted(scrub.items(), key=lambda pair: (-len(pair[0]), pair))
        # Objects are kept alive, so that no later object can have the identity of an earlier one.
        self._objects: dict[int, tuple[int, object]] = {}

    def of(self, value: Any) -> Any:
        """Convert a value: dataclasses and mappings become dicts, bytes hex, sets sorted lists.

        Infinities, NaN, dates and paths become text. A note replaces what is too deep or too large,
        contains itself, or raises when it is read.
        """
        return _Conversion(self).of(value, ())

    def text(self, value: str) -> str:
        """Replace text that differs from run to run, or that no file could hold."""
        for found, instead in self._scrub:
            value = value.replace(found, instead)
        value = _without_addresses(value)
        return value.encode("utf-8", "backslashreplace").decode("utf-8")

    def error(self, error: BaseException) -> ErrorRecord:
        """Convert an exception with the chain of its causes and the members of a group."""
        bases = [one.__name__ for one in type(error).__mro__[1:]]
        return ErrorRecord(
            type=type(error).__name__,
            message=self._message(error),
            chain=tuple(
                f"{type(one).__name__}: {self._message(one)}" for one in _chain(error)[:CHAIN_MAX]
            ),
            bases=tuple(name for name in bases if name not in OUR_OWN_BASES),
        )

    def object_of(self, value: object, *, known_only: bool) -> dict[str, Any]:
        """Name an object by its class and number; ``known_only`` gives no new number."""
        name = type(value).__name__
        known = self._objects.get(id(value))
        if known is None and known_only:
            return {"object": name}
        if known is None:
            known = self._objects[id(value)] = (len(self._objects), value)
        return {"object": name, "number": known[0]}

    def _message(self, error: BaseException) -> str:
        try:
            text = str(error)
            if len(text) > TEXT_LETTERS_MAX:
                text = f"{text[:TEXT_LETTERS_KEPT]}... ({len(text):,} letters)"
            return self.text(text)
        except Exception as broken:  # noqa: BLE001 - a service's own __str__ may raise anything
            return f"(unreadable: {type(broken).__name__})"


class _Conversion:
    """A call of ``PlainData.of``: counts what it has made, and knows whether order matters."""

    def __init__(self, plain: PlainData) -> None:
        self._plain = plain
        self._left = ITEMS_MAX
        self._in_set = False

    def of(self, value: Any, path: tuple[int, ...]) -> Any:
        """Convert a value; ``path`` holds the identities of the values that contain it."""
        try:
            return self._of(value, path)
        except Exception as broken:  # noqa: BLE001 - reading a service's value may raise anything
            return {"unreadable": type(value).__name__, "error": type(broken).__name__}

    def _of(self, value: Any, path: tuple[int, ...]) -> Any:
        self._left -= 1
        plain: Any
        if isinstance(value, Enum):
            plain = self.of(value.value, (*path, id(value)))
        elif value is None or isinstance(value, bool):
            plain = value
        elif isinstance(value, int | float):
            plain = _number(value)
        elif isinstance(value, str):
            plain = self._letters(str.__str__(value))
        elif isinstance(value, bytes | bytearray | memoryview):
            plain = self._letters(bytes(value).hex())
        elif isinstance(value, DATES):
            plain = value.isoformat()
        elif isinstance(value, AS_TEXT):
            plain = self._letters(str(value))
        else:
            plain = self._nested(value, path)
        return plain

    def _letters(self, value: str) -> str:
        """Keep only the beginning and a digest of a very long text."""
        text = self._plain.text(value)
        if len(text) <= TEXT_LETTERS_MAX:
            return text
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"{text[:TEXT_LETTERS_KEPT]}… ({len(text)} letters, sha256 {digest})"

    def _nested(self, value: Any, path: tuple[int, ...]) -> Any:
        if id(value) in path:
            return {"contains_itself": type(value).__name__}
        if len(path) >= DEPTH_MAX:
            return {"too_deep": type(value).__name__}
        if self._left <= 0:
            return {"too_large": type(value).__name__}
        return self._structure(value, (*path, id(value)))

    def _structure(self, value: Any, path: tuple[int, ...]) -> Any:
        plain: Any
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value)]
            plain = {name: self._field(value, name, path) for name in names}
        elif isinstance(value, BaseException):
            record = self._plain.error(value)
            plain = {"error": record.type, "message": record.message}
        elif isinstance(value, Mapping):
            plain = self._mapping(value, path)
        elif isinstance(value, Set):
            plain = self._set(value, path)
        elif isinstance(value, Sequence):
            plain = self._members(value, path)
        elif isinstance(value, type):
            plain = {"class": value.__qualname__}
        else:
            plain = self._plain.object_of(value, known_only=self._in_set)
        return plain

    def _members(self, values: Iterable[Any], path: tuple[int, ...]) -> list[Any]:
        members: list[Any] = []
        for one in values:
            if self._left <= 0:
                members.append({"too_large": type(values).__name__})
                break
            members.append(self.of(one, path))
        return members

    def _field(self, value: Any, name: str, path: tuple[int, ...]) -> Any:
        try:
            found = getattr(value, name)
        except Exception as broken:  # noqa: BLE001 - a slot that was never set, a property that fails
            return {"unreadable": name, "error": type(broken).__name__}
        return self.of(found, path)

    def _mapping(self, value: Mapping[Any, Any], path: tuple[int, ...]) -> dict[str, Any]:
        """Convert in the order of the keys' text, and so number objects in that order."""
        keyed: list[tuple[str, Any]] = []
        for key, one in value.items():
            if self._left <= 0:
                keyed.append(("…", {"too_large": type(value).__name__}))
                break
            keyed.append((self._key(key, path), one))
        found: dict[str, Any] = {}
        for key, one in sorted(keyed, key=lambda pair: pair[0]):
            name, number = key, 2
            while name in found:
                name, number = f"{key} ({number})", number + 1
            found[name] = self.of(one, path)
        return found

    def _key(self, key: Any, path: tuple[int, ...]) -> str:
        plain = self.of(key, path)
        return plain if isinstance(plain, str) else _canonical(plain)

    def _set(self, value: Set[Any], path: tuple[int, ...]) -> list[Any]:
        """Sort by content. A set's order is arbitrary, so objects in it get no new numbers."""
        outer, self._in_set = self._in_set, True
        try:
            members = self._members(value, path)
        finally:
            self._in_set = outer
        return sorted(members, key=_rank)


def _without_addresses(text: str) -> str:
    """Leave out the addresses that stand between angle brackets, be there others inside."""

    def instead(found: re.Match[str]) -> str:
        begin, end = found.span()
        near = max(0, begin - REPR_LETTERS_MAX)
        inside = text.count("<", near, begin) > text.count(">", near, begin)
        closed = text.find(">", end, end + REPR_LETTERS_MAX) >= 0
        return "0x…" if inside and closed else found[0]

    return ADDRESS.sub(instead, text)


def _number(value: float) -> float | str:
    """Keep a number that JSON has; write infinities, NaN and very long integers as text."""
    if isinstance(value, int):
        plain = int.__int__(value)
        return plain if plain.bit_length() <= NUMBER_BITS_MAX else hex(plain)
    return float.__float__(value) if math.isfinite(value) else float.__repr__(value)


def _rank(value: Any) -> tuple[bool, float, str]:
    """Return a sort key: numbers by size, then all else by its text."""
    if isinstance(value, int | float) and abs(value) < 1e300:
        return False, float(value), _canonical(value)
    return True, 0.0, _canonical(value)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _chain(error: BaseException) -> list[BaseException]:
    """List what led to an error: its causes, and for a group its members with theirs."""
    found: list[BaseException] = []
    seen = {id(error)}
    left: list[BaseException] = [error]
    while left and len(found) <= CHAIN_MAX:
        at = left.pop(0)
        if at is not error:
            found.append(at)
        hidden = at.__suppress_context__ and at.__cause__ is None
        cause = at.__cause__ or (None if hidden else at.__context__)
        members = at.exceptions if isinstance(at, BaseExceptionGroup) else ()
        for one in (*members, cause):
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                left.append(one)
    return found
