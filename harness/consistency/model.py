"""What a checker must know of an object: how it begins, and what each call makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from harness.consistency.call import Call

    # A plain read or write of one value: whether it writes, and the value.
    Access = tuple[bool, Hashable]

__all__ = ["Model"]


class Model:
    """A sequential object. A model of one's own defines ``init`` and ``step``; the rest is speed.

    States are hashable and never changed in place.
    """

    def init(self) -> Hashable:
        """Return the state before any call."""
        raise NotImplementedError

    def step(self, state: Hashable, call: Call) -> Iterable[Hashable]:
        """Return the states in which ``call`` may leave ``state``; none if it does not fit there.

        Where ``call.end`` is None the result is not known: every state that the call might leave.
        """
        raise NotImplementedError

    def mistake(self, calls: Sequence[Call]) -> str | None:
        """Say which call, if any, is none that the object has, and why."""
        del calls
        return None

    def partition(self, call: Call) -> Hashable:
        """Return the part of the object that a call is about; parts are judged one by one.

        Only for objects whose parts never touch each other, as the keys of a map.
        """
        del call
        return None

    def observes(self, call: Call) -> bool:
        """Say whether a call leaves every state in which it fits as it is."""
        del call
        return False

    def access(self, call: Call) -> Access | None:
        """Give a call as a plain read or write, where it is one: whether it writes, and the value.

        A plain write fits everywhere and leaves its value as the state; a plain read fits where the
        state equals its value, and leaves it.
        """
        del call
        return None

    def told(self, state: Hashable) -> str:
        """Write a state for a person."""
        return repr(state)
