"""The search for an order of calls: depth first, with a memory of visited configurations."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from harness.consistency.call import MOMENT_MAX
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from harness.consistency.call import Call
    from harness.consistency.model import Access, Model

    # An order so far: the order before its last call, and that call; None is the empty order.
    Path = tuple[Any, Call] | None
    # An order so far: all calls before ``low`` are placed, and those above it whose bits are set in
    # ``mask``; ``used`` holds the bits of placed calls without an end; then state and order.
    Configuration = tuple[int, int, int, Hashable, Path]

__all__ = ["Found", "search"]

READ, LOOK, WRITE, OTHER = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The outcome of a search: the longest order that fits, and the call that could not follow.

    ``states`` are those in which the longest orders end, ``steps`` the number of steps taken.
    """

    verdict: Verdict
    order: tuple[Call, ...]
    blocked: Call | None
    states: tuple[Hashable, ...]
    steps: int


def search(
    calls: Sequence[Call],
    model: Model,
    *,
    budget: int,
    accesses: Sequence[Access | None] | None = None,
) -> Found:
    """Search for an order of ``calls``, given in order of their begins, that fits the model.

    ``budget`` bounds the steps; a step looks at the calls that could extend an order.
    """
    if accesses is None:
        accesses = [model.access(one) for one in calls]
    one = _Search(calls, accesses, model)
    verdict = one.run(budget) if one.count else Verdict.PASSED
    order = []
    path = one.order[2]
    while path is not None:
        path, call = path
        order.append(call)
    return Found(
        verdict=verdict,
        order=tuple(reversed(order)),
        blocked=None if verdict is Verdict.PASSED else one.blocked(),
        states=tuple(dict.fromkeys(one.states)),
        steps=one.steps,
    )


class _Search:
    """A search over calls in order of their begins.

    Next may come any call that began no later than the first end among calls not yet placed (Wing
    and Gong, 1993). Of orders that lead to the same configuration, only the first is followed
    (Lowe, 2017). A call that only observes is placed as soon as it fits, since it hinders no other.
    Of calls that differ only in their moments, the call that ended first comes first.
    """

    def __init__(
        self, calls: Sequence[Call], accesses: Sequence[Access | None], model: Model
    ) -> None:
        self.step = model.step
        self.state = model.init()
        self.rows: list[tuple[float, float, int, Any, Any]] = []
        self.unknown: list[Call] = []
        add = self.rows.append
        for call, access in zip(calls, accesses, strict=True):
            if access is None:
                mode, value = LOOK if model.observes(call) else OTHER, None
            else:
                mode, value = WRITE if access[0] else READ, access[1]
            if call.end is not None:
                add((call.begin, call.end, mode, value, call))
            elif mode > LOOK:
                self.unknown.append(call)
        self.count = len(self.rows)
        self.ends = [row[1] for row in self.rows].__getitem__
        self.writers: dict[Hashable, int] | None = None
        add((inf, inf, OTHER, None, None))
        # The first moment at which a call of unknown outcome may be placed.
        self.unknown_begin = self.unknown[0].begin if self.unknown else inf
        self.steps = 0
        # The furthest order (low, mask, path), and the states of all orders that came as far.
        self.order: tuple[int, int, Path] = (0, 0, None)
        self.states: list[Hashable] = []

    def run(self, budget: int) -> Verdict:  # noqa: PLR0912 - calls would cost more than the work
        """Search until an order is found, none is left, or ``budget`` steps are spent."""
        rows, step, unknown_begin = self.rows, self.step, self.unknown_begin
        furthest = -inf
        stack: list[Configuration] = [(0, 0, 0, self.state, None)]
        seen: set[tuple[int, int, int, Hashable]] = set()
        while stack:
            low, mask, used, state, path = stack.pop()
            while self.steps < budget:
                self.steps += 1
                # Rows are sorted by begin, so what may end before a call begins is seen first.
                number, rest, limit = low, mask, MOMENT_MAX
                moves, waits = [], []
                while True:
                    if not rest & 1:
                        begin, end, mode, value, call = rows[number]
                        if begin > limit:
                            break
                        if mode > LOOK:
                            moves.append(number)
                        elif value == state if mode == READ else tuple(step(state, call)):
                            mask |= 1 << (number - low)
                            path = (path, call)
                            end = limit
                        else:
                            waits.append(number)
                        if end < limit:  # noqa: PLR1730 - min() is a call, and this runs hottest
                            limit = end
                    number, rest = number + 1, rest >> 1
                if mask & 1:
                    low, mask = _compact(low, mask)
                    if low == self.count:
                        self.order = low, mask, path
                        return Verdict.PASSED
                if limit > furthest:
                    furthest, self.order, self.states = limit, (low, mask, path), [state]
                elif limit == furthest:
                    self.states.append(state)
                if len(moves) == 1 and limit < unknown_begin and rows[moves[0]][2] == WRITE:
                    # Nothing else can be next.
                    _, _, _, state, call = rows[moves[0]]
                    mask, path = mask | 1 << (moves[0] - low), (path, call)
                    continue
                if (low, mask, used, state) not in seen:
                    seen.add((low, mask, used, state))
                    stack += self._successors((low, mask, used, state, path), moves, waits, limit)
                break
            else:
                return Verdict.UNKNOWN
        return Verdict.FAILED

    def _successors(
        self, configuration: Configuration, moves: list[int], waits: list[int], limit: float
    ) -> list[Configuration]:
        """List the configurations after a further call, the most urgent last.

        ``moves`` are the calls with an end that can be next, ``waits`` the observations that could
        be next but do not fit the state.
        """
        low, mask, used, state, path = configuration
        rows, step = self.rows, self.step
        if waits and self._waits_in_vain(low, mask, waits):
            return []
        found: list[Configuration] = []
        tried: set[Hashable] = set()
        moves.sort(key=self.ends)
        for number in moves:
            _, _, mode, value, call = rows[number]
            kind = value if mode == WRITE else (call.operation, call.arguments, call.result)
            if (mode, kind) in tried:
                continue
            tried.add((mode, kind))
            bits = mask | 1 << (number - low)
            found += [
                (low, bits, used, after, (path, call))
                for after in ((value,) if mode == WRITE else step(state, call))
            ]
        if limit >= self.unknown_begin:
            self._add_unknown(found, configuration, limit)
        found.reverse()
        soonest = next((rows[number][4] for number in waits if rows[number][1] == limit), None)
        if soonest is not None and len(found) > 1:
            # The most urgent call is an observation: prefer the states in which it fits.
            found.sort(key=lambda one: bool(tuple(step(one[3], soonest))))
        return found

    def _add_unknown(
        self, found: list[Configuration], configuration: Configuration, limit: float
    ) -> None:
        """Add the configurations after calls of unknown outcome, where these change the state."""
        low, mask, used, state, path = configuration
        tried: set[Hashable] = set()
        for number, call in enumerate(self.unknown):
            if call.begin > limit:
                return
            if used >> number & 1 or (call.operation, call.arguments) in tried:
                continue
            tried.add((call.operation, call.arguments))
            found += [
                (low, mask, used | 1 << number, after, (path, call))
                for after in self.step(state, call)
                if after != state
            ]

    def _waits_in_vain(self, low: int, mask: int, waits: list[int]) -> bool:
        """Return True if no remaining write can give a waiting read its value in time."""
        if self.writers is None:
            self.writers = self._writers()
        if not self.writers:
            return False
        for number in waits:
            _, end, _, value, _ = self.rows[number]
            left = self.writers.get(value, 0) >> low & ~mask
            # The first of the remaining writes must begin before the read ends.
            if not left or self.rows[(left & -left).bit_length() - 1 + low][0] > end:
                return True
        return False

    def _writers(self) -> dict[Hashable, int]:
        """Map each value to its writes, as bits; empty if there are other calls than reads too."""
        found: dict[Hashable, int] = {}
        if self.unknown or any(row[2] in (LOOK, OTHER) for row in self.rows[:-1]):
            return found
        for number, (_, _, mode, value, _) in enumerate(self.rows):
            if mode == WRITE:
                found[value] = found.get(value, 0) | 1 << number
        return found

    def blocked(self) -> Call | None:
        """Return the call that had to come next after the furthest order."""
        low, mask, _ = self.order
        left = [row for number, row in enumerate(self.rows[low:-1]) if not mask >> number & 1]
        return min(left, key=lambda row: row[1])[4] if left else None


def _compact(low: int, mask: int) -> tuple[int, int]:
    """Move ``low`` past the placed calls that follow it without a gap."""
    placed = (~mask & (mask + 1)).bit_length() - 1
    return low + placed, mask >> placed
