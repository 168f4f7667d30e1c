"""The policies that carry out a tape, and the recording of one from any run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harness.choices.kinds import ChoiceKind
from harness.choices.policies import StepWatcher
from harness.search.failures.tape import Deviation, Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.choices.policies import Lane, OrderPolicy, WatchedLoop

__all__ = ["PicksPolicy", "TapePolicy", "TapeRecorder"]


class _StepCounter(StepWatcher):
    """Counts the steps of lanes, and names lanes by where they come from."""

    def __init__(self) -> None:
        self._name: Callable[[int], str] = str
        self._steps: Counter[int] = Counter()

    def bind(self, loop: WatchedLoop) -> None:
        """Take the function that names lanes from the loop that is to run."""
        self._name = loop.lane_name

    def begins(self, handle: Lane, overtaken: Sequence[Lane]) -> None:
        """Count a step of its lane."""
        del overtaken
        if handle.lane >= 0:
            self._steps[handle.lane] += 1

    def arrives(self, arrival: Lane, overtaken: Sequence[Lane]) -> None:
        """Count what comes from outside like a step."""
        self.begins(arrival, overtaken)

    def key_of(self, lane: int) -> tuple[str, int]:
        """Return the name of a lane and the number of its next step."""
        return self._name(lane), self._steps[lane]


class TapePolicy(_StepCounter):
    """Carries out a tape; watches the run, so that it knows which step of a lane comes next.

    ``used`` counts the deviations that took place: one whose step never came has no effect.
    """

    def __init__(self, tape: Tape) -> None:
        super().__init__()
        self._tape = tape
        self._left: dict[tuple[str, int], int] = {
            (one.where, one.nth): one.value
            for one in tape.schedule
            if one.kind is ChoiceKind.ORDER and not one.where.startswith("?")
        }
        self._asked: Counter[tuple[ChoiceKind, str]] = Counter()

    def order(self, options: Sequence[Lane]) -> int:
        """Choose the first lane that is not to be overtaken any more."""
        if not self._left:
            return 0
        keys = list(self._distinct(options))
        if not keys:
            return 0
        # If all are to be overtaken, it is whoever has waited longest of what it is to wait.
        position = min(
            range(len(keys)), key=lambda one: (max(0, self._left.get(keys[one][1], 0)), one)
        )
        for _, passed in keys[:position]:
            if passed in self._left:
                self._left[passed] -= 1
        return keys[position][0]

    def asked(self, kind: ChoiceKind, label: str) -> int:
        """Return how often a choice was asked for so far."""
        return self._asked[kind, label]

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Choose what the tape says, as far as it can be had."""
        nth = self._asked[kind, label]
        self._asked[kind, label] += 1
        where = f"?{label}" if kind is ChoiceKind.ORDER else label
        return min(self._tape.value_of(kind, where, nth), count - 1)

    def _distinct(self, options: Sequence[Lane]) -> Iterator[tuple[int, tuple[str, int]]]:
        seen = set()
        for index, option in enumerate(options):
            if option.lane >= 0 and option.lane not in seen:
                seen.add(option.lane)
                yield index, self.key_of(option.lane)


class PicksPolicy:
    """Repeats recorded picks one by one, then chooses the default. Exact, but only while all is."""

    def __init__(self, picks: Sequence[int]) -> None:
        self._picks = picks
        self._next = 0

    def order(self, options: Sequence[Lane]) -> int:
        """Repeat the next pick."""
        return self._repeated(len(options))

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Repeat the next pick."""
        del kind, label
        return self._repeated(count)

    def _repeated(self, count: int) -> int:
        if self._next >= len(self._picks):
            return 0
        pick = self._picks[self._next]
        self._next += 1
        return min(pick, count - 1)


class TapeRecorder(_StepCounter):
    """Writes the tape of a run that another policy decides; it is policy and watcher in one."""

    def __init__(self, policy: OrderPolicy) -> None:
        super().__init__()
        self._policy = policy
        self._found: Counter[tuple[ChoiceKind, str, int]] = Counter()
        self._asked: Counter[tuple[ChoiceKind, str]] = Counter()

    def order(self, options: Sequence[Lane]) -> int:
        """Have the other policy choose; what it means is seen when the step begins."""
        return self._policy.order(options)

    def choose(self, kind: ChoiceKind, count: int, label: str) -> int:
        """Have the other policy choose, and record that."""
        chosen = self._policy.choose(kind, count, label)
        nth = self._asked[kind, label]
        self._asked[kind, label] += 1
        if chosen:
            where = f"?{label}" if kind is ChoiceKind.ORDER else label
            self._found[kind, where, nth] = chosen
        return chosen

    def begins(self, handle: Lane, overtaken: Sequence[Lane]) -> None:
        """Record whom a step overtakes."""
        for lane in dict.fromkeys(one.lane for one in overtaken if one.lane >= 0):
            self._found[ChoiceKind.ORDER, *self.key_of(lane)] += 1
        super().begins(handle, overtaken)

    def tape(self, seed: int) -> Tape:
        """Return the tape of the run so far."""
        return Tape(
            seed=seed, schedule=tuple(Deviation(*key, value) for key, value in self._found.items())
        )
