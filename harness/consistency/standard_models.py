"""The models of common objects: register, map, counter and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.consistency.model import Model

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from harness.consistency.call import Call
    from harness.consistency.model import Access

__all__ = ["Counter", "Map", "Register", "Set"]

NOWHERE: tuple[Hashable, ...] = ()


class _Object(Model):
    """An object with named calls: ``arities`` counts their arguments, ``answering`` return bool."""

    arities: Mapping[str, int]
    answering: frozenset[str] = frozenset()

    def mistake(self, calls: Sequence[Call]) -> str | None:
        """Find a call that the object does not have, or a result that it cannot give."""
        arities, answering = self.arities, self.answering
        for call in calls:
            operation = call.operation
            if arities.get(operation) != len(call.arguments):
                return self._wrong(call)
            if operation in answering and not (
                call.result is None or isinstance(call.result, bool)
            ):
                return f"{call}: must return True, False or None (not told), got {call.result!r}"
        return None

    def _wrong(self, call: Call) -> str:
        arity = self.arities.get(call.operation)
        if arity is None:
            return f"{call}: no operation {call.operation!r}; known: {', '.join(self.arities)}"
        return f"{call}: {call.operation} takes {arity} arguments, got {len(call.arguments)}"


class Register(_Object):
    """A value: ``read() -> value``, ``write(value)``, ``cas(old, new) -> bool``.

    The result of a write is ignored, and a compare-and-set may return None: unknown. Values are
    compared by Python's equality.
    """

    arities: Mapping[str, int] = {"read": 0, "write": 1, "cas": 2}
    answering = frozenset({"cas", "delete"})
    first = 0  # The index of the first argument after the key.

    def __init__(self, initial: Hashable = None) -> None:
        self._initial = initial

    def init(self) -> Hashable:
        """Return the initial value."""
        return self._initial

    def step(self, state: Hashable, call: Call) -> Iterable[Hashable]:
        """Read, write, compare and set, or delete."""
        operation = call.operation
        if operation == "read":
            return (state,) if call.end is None or call.result == state else NOWHERE
        arguments = call.arguments
        if operation == "write":
            return (arguments[self.first],)
        if operation == "cas":
            does = state == arguments[self.first]
            after = arguments[self.first + 1] if does else state
        else:
            does = state is not None
            after = None
        fits = call.end is None or call.result is None or call.result is does
        return (after,) if fits else NOWHERE

    def observes(self, call: Call) -> bool:
        """Return True for reads, and for calls known to have changed nothing."""
        return call.operation == "read" or (call.end is not None and _refused(call))

    def access(self, call: Call) -> Access | None:
        """Return reads and writes; a call that reads before it writes is neither."""
        operation = call.operation
        if operation == "read":
            return False, call.result
        return (True, call.arguments[self.first]) if operation == "write" else None

    def described(self, state: Hashable) -> str:
        """Write the value."""
        return f"the value is {state!r}"


class Map(Register):
    """Values by key, none at first; the key is the first argument, and is judged separately.

    ``read(key) -> value or None``, ``write(key, value)``, ``cas(key, old, new) -> bool`` and
    ``delete(key) -> bool``, which says whether there was a value, or None: unknown.
    """

    arities: Mapping[str, int] = {"read": 1, "write": 2, "cas": 3, "delete": 1}
    first = 1

    def __init__(self) -> None:
        super().__init__(None)

    def partition(self, call: Call) -> Hashable:
        """Return the key."""
        return call.arguments[0]


class Counter(_Object):
    """A sum: ``add(amount) -> the new sum, or None: unknown`` and ``read() -> the sum``."""

    arities: Mapping[str, int] = {"read": 0, "add": 1}

    def __init__(self, initial: float = 0) -> None:
        self._initial = initial

    def init(self) -> Hashable:
        """Return the initial sum."""
        return self._initial

    def step(self, state: Any, call: Call) -> Iterable[Hashable]:
        """Add, or read."""
        after = state + call.arguments[0] if call.operation == "add" else state
        unseen = call.end is None or (call.operation == "add" and call.result is None)
        return (after,) if unseen or call.result == after else NOWHERE

    def observes(self, call: Call) -> bool:
        """Return True for reads, and for additions of nothing."""
        return call.operation == "read" or call.arguments[0] == 0

    def access(self, call: Call) -> Access | None:
        """Return reads as reads."""
        return (False, call.result) if call.operation == "read" else None

    def described(self, state: Hashable) -> str:
        """Write the sum."""
        return f"the sum is {state!r}"


class Set(_Object):
    """Members, none at first; each is judged separately.

    ``add(member)`` and ``remove(member)`` return whether they changed the set, or None: unknown.
    ``contains(member)`` returns whether it is there.
    """

    arities: Mapping[str, int] = {"add": 1, "remove": 1, "contains": 1}
    answering = frozenset({"add", "remove", "contains"})

    def init(self) -> Hashable:
        """Return that the member is not there."""
        return False

    def step(self, state: Hashable, call: Call) -> Iterable[Hashable]:
        """Add, remove, or look up a member."""
        operation = call.operation
        after = state if operation == "contains" else operation == "add"
        answer = state if operation == "contains" else after is not state
        fits = call.end is None or call.result is None or call.result is answer
        return (after,) if fits else NOWHERE

    def partition(self, call: Call) -> Hashable:
        """Return the member."""
        return call.arguments[0]

    def observes(self, call: Call) -> bool:
        """Return True for look-ups, and for calls known to have changed nothing."""
        return call.operation == "contains" or (call.end is not None and _refused(call))

    def access(self, call: Call) -> Access | None:
        """Return a look-up as a read, and a change of unknown result as a write."""
        operation = call.operation
        if operation == "contains":
            return None if call.result is None else (False, call.result)
        return (True, operation == "add") if call.end is None or call.result is None else None

    def described(self, state: Hashable) -> str:
        """Say whether the member is there."""
        return "it is there" if state else "it is not there"


def _refused(call: Call) -> bool:
    """Return True if a call answered that it did nothing."""
    return call.operation in ("cas", "delete", "add", "remove") and call.result is False
