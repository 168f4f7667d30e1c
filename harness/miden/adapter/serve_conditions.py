"""The conditions of the serve core that hold at every moment: its clients, and their slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.history.recorder import Recorder
    from serve import Serve

__all__ = ["CONDITIONS", "ServeConditions"]

CONDITIONS = ("one_client_per_directory", "no_orphan_slots", "clients_within_max")


class ServeConditions:
    """The conditions of an open Serve; each returns True, or a text that says what is wrong."""

    def __init__(self, opened: Serve, recorder: Recorder, *, clients_max: int | None) -> None:
        self._serve = opened
        self._recorder = recorder
        self._clients_max = clients_max

    def by_name(self) -> dict[str, Callable[[], object]]:
        """Return the conditions by the names of ``CONDITIONS``."""
        return {name: getattr(self, name) for name in CONDITIONS}

    def one_client_per_directory(self) -> bool | str:
        """No directory has two clients that are starting or open."""
        open_for = [" on ".join(one.key.values()) for one in self._recorder.open_clients()]
        twice = sorted({key for key in open_for if open_for.count(key) > 1})
        return not twice or f"two clients at once for {', '.join(twice)}"

    def no_orphan_slots(self) -> bool | str:
        """There is no slot that no start, client or close will ever empty."""
        orphans = self._serve.orphan_slots()
        return not orphans or f"nothing will empty the slot of {', '.join(orphans)}"

    def clients_within_max(self) -> bool | str:
        """No more clients are starting or open than ``clients_max`` allows."""
        count = len(self._recorder.open_clients())
        within = self._clients_max is None or count <= self._clients_max
        return within or f"{count} clients at once, where {self._clients_max} may be"
