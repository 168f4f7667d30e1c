"""The figures of a run in a report, each by a name of its own, whatever the version lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.report.comparing.stored import StoredRun

__all__ = ["Named", "figures_of"]

# The list that says how locks were used: it explains, and is no figure of the run.
EXPLAINS = {"contention"}
# What names an entry of a list, if the entry has it; the rest of its texts describe.
NAMES = ("call", "phase", "command", "operation", "client", "user", "kind", "name", "backend")
# The parts of an interval are those of another figure; a count of rounds is chosen.
APART = {"low", "high", "rounds"}
UNITS = {"ratio": "x"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A figure: ``list`` and ``entry`` say of what, ``key`` which, ``unit`` "s", "x" or ""."""

    list: str
    entry: str
    key: str

    @property
    def unit(self) -> str:
        """The unit, by the name: seconds end with _s."""
        return "s" if self.key.endswith("_s") else UNITS.get(self.key, "")

    def __str__(self) -> str:
        words = self.key.removesuffix("_s").replace("_", " ")
        return f"{words} of {self.entry}" if self.entry else words


ELAPSED = Named(list="", entry="", key="elapsed_s")


def figures_of(run: StoredRun) -> dict[Named, float]:
    """Return all figures of a run; those that are null are left out."""
    found = {} if run.virtual_s is None else {ELAPSED: run.virtual_s}
    for name, entries in (run.figures or {}).items():
        if name not in EXPLAINS and isinstance(entries, list):
            for entry in entries:
                found.update(_of_entry(name, entry))
    return found


def _of_entry(name: str, entry: Any) -> Iterator[tuple[Named, float]]:
    if not isinstance(entry, dict):
        return
    called = " ".join(str(entry[key]) for key in NAMES if isinstance(entry.get(key), str))
    yield from _numbers(name, called, entry)


def _numbers(name: str, called: str, entry: Mapping[str, Any]) -> Iterator[tuple[Named, float]]:
    for key, value in entry.items():
        if isinstance(value, dict):
            # Such as the percentiles of one quantity of several.
            yield from (
                (Named(list=name, entry=called, key=f"{key.removesuffix('_s')} {one.key}"), number)
                for one, number in _numbers(name, called, value)
            )
        elif isinstance(value, int | float) and not isinstance(value, bool) and key not in APART:
            yield Named(list=name, entry=called, key=key), float(value)
