"""The trace of a simulated run: what is hashed, and where two runs part."""

from __future__ import annotations

import hashlib
import sys
from array import array
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.backends.port import KeptTrace

__all__ = ["Difference", "Trace", "first_difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first entry in which two traces part; None stands for a trace that had already ended."""

    index: int
    first: str | None
    second: str | None

    def __str__(self) -> str:
        ended = "(the trace had ended)"
        return f"entry {self.index}: {self.first or ended} | {self.second or ended}"


class Trace:
    """What a run did, as two sha256 digests.

    ``digest`` is the portable one. It covers what reaches the tasks from outside, in order: each
    virtual moment at which something did (as a float64), the number of the task that a timer, an
    executor call or a SimPy event spoke to, and every note. All else that the tasks do follows from
    that. It holds no callback of asyncio's own, so it stays the same when a CPython release needs
    more or fewer of them for the same program.

    ``schedule_digest`` covers every single callback by the number of its task. It is the finer one,
    and it compares only runs of the same CPython release.

    With ``keep`` the entries themselves are held as well, to find the first difference: about 100
    bytes an entry, so not for long runs.
    """

    def __init__(self, *, keep: bool = False) -> None:
        # The loop appends to both arrays directly: a trace may cost one C call an entry, no more.
        # A wake-up is -1 - task number, so that no moment (never negative) can look like one.
        self.wakes = array("d")
        self.steps = array("I")
        self.step_count = 0
        self.keep = keep
        self.names: dict[int, str] = {}
        self._entries: list[float | str] = []
        self._kept_steps = array("I")

    @cached_property
    def _wake_hash(self) -> hashlib._Hash:
        return hashlib.sha256()

    @cached_property
    def _step_hash(self) -> hashlib._Hash:
        return hashlib.sha256()

    def __getstate__(self) -> dict[str, object]:
        """Leave out what hashes: a trace is sent elsewhere to be read there."""
        self.flush()
        hashes = {"_wake_hash", "_step_hash"}
        return {name: value for name, value in vars(self).items() if name not in hashes}

    def note(self, text: str) -> None:
        """Add an entry of the caller's own; its place among the wake-ups counts."""
        self.flush()
        encoded = text.encode()
        self._wake_hash.update(_bytes(array("d", (nan, len(encoded)))))
        self._wake_hash.update(encoded)
        if self.keep:
            self._entries.append(text)

    def flush(self) -> None:
        """Hash what the loop has appended, and forget it."""
        self.step_count += len(self.steps)
        self._wake_hash.update(_bytes(self.wakes))
        self._step_hash.update(_bytes(self.steps))
        if self.keep:
            self._entries.extend(self.wakes)
            self._kept_steps.extend(self.steps)
        del self.wakes[:]
        del self.steps[:]

    @property
    def digest(self) -> str:
        """Sha256 of wake-ups and notes in hexadecimal: equal on every CPython release."""
        self.flush()
        return self._wake_hash.hexdigest()

    @property
    def schedule_digest(self) -> str:
        """Sha256 of every callback's task in hexadecimal: equal on one CPython release."""
        self.flush()
        return self._step_hash.hexdigest()

    def order(self) -> bytes:
        """Return the task of every callback in order, 4 bytes each; empty unless kept."""
        self.flush()
        return _bytes(self._kept_steps)

    def entries(self) -> list[str]:
        """Return what the portable digest covers, readable, one line a wake-up or note."""
        self.flush()
        lines: list[str] = []
        now = 0.0
        for entry in self._entries:
            if isinstance(entry, str):
                lines.append(f"note {entry}")
            elif entry >= 0:
                now = entry
            else:
                lines.append(f"at {now!r} s: wake {self._name(-1 - int(entry))}")
        return lines

    def step_entries(self) -> list[str]:
        """Return what the schedule digest covers, readable, one line a callback."""
        self.flush()
        return [f"callback of {self._name(number)}" for number in self._kept_steps]

    def _name(self, number: int) -> str:
        return self.names.get(number, f"task-{number}") if number else "no task"


def first_difference(first: KeptTrace, second: KeptTrace) -> Difference | None:
    """Return where two kept traces part, the portable entries first, or None if nowhere.

    Raises:
        ValueError: One of the two was not kept.
    """
    if not (first.keep and second.keep):
        raise ValueError("both traces must be kept to be compared: make them with keep=True")
    return _parting(first.entries(), second.entries()) or _parting(
        first.step_entries(), second.step_entries()
    )


def _parting(first: list[str], second: list[str]) -> Difference | None:
    for index in range(max(len(first), len(second))):
        one = first[index] if index < len(first) else None
        other = second[index] if index < len(second) else None
        if one != other:
            return Difference(index=index, first=one, second=other)
    return None


def _bytes(values: array[float] | array[int]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
