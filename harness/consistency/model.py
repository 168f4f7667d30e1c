"""The port of models: what the checker must know of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from harness.consistency.call import Call

    # A plain read or write of one value: whether it writes, and the value.
    Access = tuple[bool, Hashable]

__all__ = ["Model"]


class Model:
    """A sequential object. A model must define ``init`` and ``step``; the rest is for speed.

    States are hashable and never changed in place.
    """

    def init(self) -> Hashable:
        """Return the state before any call."""
        raise NotImplementedError

    def step(self, state: Hashable, call: Call) -> Iterable[Hashable]:
        """Return the states in which ``call`` may leave ``state``; none if it does not fit there.

        Where ``call.end`` is None the result is unknown: return every state that may follow.
        """
        raise NotImplementedError

    def mistake(self, calls: Sequence[Call]) -> str | None:
        """Say which call the object does not have, and why, or return None."""
        del calls
        return None

    def partition(self, call: Call) -> Hashable:
        """Return the part of the object that a call is about; each part is judged separately.

        Only for objects with independent parts, such as the keys of a map.
        """
        del call
        return None

    def observes(self, call: Call) -> bool:
        """Return True if a call never changes a state in which it fits."""
        del call
        return False

    def access(self, call: Call) -> Access | None:
        """Return a plain read or write as a pair (it writes, the value); None for other calls.

        A plain write fits everywhere and leaves its value as the state; a plain read fits where the
        state equals its value, and leaves it.
        """
        del call
        return None

    def described(self, state: Hashable) -> str:
        """Write a state for a person."""
        return repr(state)
