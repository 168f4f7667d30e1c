"""The latency profile that a simulated run used: its name, and the hash of its figures."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOMINAL", "ProfileUsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileUsed:
    """A latency profile as reports, replay lines and tokens name it.

    ``name`` is that of a profile that the harness brings, or the file's path as it was given.
    ``hash`` are twelve hexadecimal digits of its figures: profiles with one hash give the same
    runs, whatever else is written in their files.
    """

    name: str
    hash: str

    def __str__(self) -> str:
        return f"{self.name}@{self.hash}"


# Written down here, so that a run need not read the profile that every run has by default.
NOMINAL = ProfileUsed(name="nominal", hash="7e2b44a82d77")
