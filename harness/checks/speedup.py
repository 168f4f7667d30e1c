"""The check that a phase's operations take less time together than one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, model_validator

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import PHASE, Parameters
from harness.history.contention import culprit
from harness.history.paired_interval import PAIRS_MIN
from harness.history.records import NodeKind
from harness.history.timings import median, pairs_of, speedup

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from harness.history.records import History
    from harness.history.timings import Pair, Speedup
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SpeedUp", "needs_round", "speed_up", "words_so_far"]

# A machine is given up as busy after so many rounds that do not count, and in no more than
# BUSY_ROUNDS_MAX rounds, once they are over this share of all.
DROPPED_MAX = 5
DROPPED_SHARE_MAX = 0.2
BUSY_ROUNDS_MAX = 10


class SpeedUp(Parameters):
    """The phase takes over ``above`` times as long one call after another as all together.

    Or at most ``at_most`` times as long: that its calls take turns, as those of one client must.

    ``rounds`` pairs are timed, each on fresh storage, in alternating order after a warm-up. When
    simulated the time is virtual, and a single round is exact. When live the median of the pairs'
    ratios counts, and rounds follow, up to ``rounds_max``, until its interval lies beside
    each bound: at the earliest after six. The interval misses the true ratio with a probability of
    5 %, however often it is looked at. A round in which other programs used over
    ``foreign_cores_max`` cores is dropped. The verdict is UNKNOWN if the interval holds a bound
    to the end, if the machine is busy, or if it had no room for more than a bound.
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["above"]}, {"required": ["at_most"]}]}
    )

    phase: str = Field(description="the phase to time", json_schema_extra=PHASE)
    above: float | None = Field(
        default=None, gt=1, le=10_000, description="the ratio that must be exceeded"
    )
    at_most: float | None = Field(
        default=None, ge=1, le=10_000, description="the ratio that must not be exceeded"
    )
    rounds: int = Field(default=6, ge=1, le=1_000, description="timed pairs that count, at least")
    rounds_max: int = Field(
        default=31, ge=1, le=1_000, description="timed pairs, at most, where noise asks for more"
    )
    foreign_cores_max: float = Field(
        default=0.15,
        ge=0,
        le=10_000,
        description="cores that other programs may use in a live round that counts; more where"
        " they work for the service, as a database on the same machine does",
    )

    @model_validator(mode="after")
    def _has_bounds_in_order(self) -> Self:
        if self.above is None and self.at_most is None:
            raise ValueError("must give above, at_most, or both")
        if self.above is not None and self.at_most is not None and self.at_most <= self.above:
            raise ValueError(f"at_most must be over above, got {self.at_most:g}")
        return self

    @property
    def bounds(self) -> tuple[float, ...]:
        """The ratios on whose sides the verdict turns."""
        return tuple(one for one in (self.above, self.at_most) if one is not None)

    def takes(self, ratio: float) -> bool:
        """Say whether a ratio lies between the bounds."""
        return (self.above is None or ratio > self.above) and (
            self.at_most is None or ratio <= self.at_most
        )

    def __str__(self) -> str:
        over = "" if self.above is None else f"over {self.above:g}"
        most = "" if self.at_most is None else f"of at most {self.at_most:g}"
        return f"{' and '.join(filter(None, (over, most)))} of the phase {self.phase}"


def speed_up(history: History, parameters: SpeedUp) -> CheckResult:
    """Judge the pairs of timings that count.

    UNKNOWN where too few count, they are not of the same work, their interval holds a bound, or the
    machine could not have done better.
    """
    expected = f"a speed-up {parameters}"
    live = history.node is NodeKind.LIVE
    pairs = pairs_of(history, parameters.phase)
    sound = [one for one in pairs if one.spoilt_by is None]
    timings = [timing for one in sound for timing in (one.sequential, one.together)]
    found = speedup(pairs)
    need = PAIRS_MIN if live else 1
    dropped = _dropped_words(pairs)
    unknown: str | None = None
    amounts = sorted({one.succeeded for one in timings})
    if found is None or found.rounds < need or found.dropped > found.rounds:
        unknown = (
            f"{len(sound)} of {len(pairs)} rounds count; at least {need}, and half of all,"
            f" must{dropped}"
        )
    elif len(amounts) > 1:
        sizes = " and ".join(map(str, amounts))
        unknown = f"timings of {sizes} operations, not of the same work"
    if found is None or unknown is not None:
        return nothing_to_judge("speedup", expected=expected, seen=unknown or "")
    between = (
        "" if found.interval is None else " between {:.2f} and {:.2f},".format(*found.interval)
    )
    seen = (
        f"{found.ratio:.2f},{between} sequential {found.sequential_s:.3f} s,"
        f" together {found.together_s:.3f} s, {found.rounds} round{'s' * (found.rounds != 1)}"
        f"{_machine_words(sound)}{dropped}"
    )
    if live:
        unknown = _too_noisy(found, parameters) or _no_room(found, parameters, sound)
    if unknown is not None:
        return nothing_to_judge("speedup", expected=expected, seen=f"{seen}: {unknown}")
    too_fast = parameters.at_most is not None and found.ratio > parameters.at_most
    return judged(
        "speedup",
        parameters.takes(found.ratio),
        expected=expected,
        seen=seen,
        why=None if too_fast else culprit(history, timings) or longest_hold(history),
    )


def words_so_far(history: History, parameters: SpeedUp) -> str:
    """Say how far the timing is."""
    pairs = pairs_of(history, parameters.phase)
    found = speedup(pairs)
    ratio = "no ratio yet" if found is None else f"{found.ratio:.2f} so far"
    rounds = f"{len(pairs)} round{'s' * (len(pairs) != 1)}"
    return f"speed-up of {parameters.phase}: {ratio}, {rounds}{_dropped_words(pairs)}"


def needs_round(history: History, parameters: SpeedUp) -> bool:
    """Return True while another round could decide, and the machine is not too busy for it."""
    pairs = pairs_of(history, parameters.phase)
    if history.node is NodeKind.SIMULATED:
        return not pairs
    found = speedup(pairs)
    dropped = len(pairs) - (0 if found is None else found.rounds)
    is_busy = dropped > len(pairs) * DROPPED_SHARE_MAX
    if is_busy and (dropped >= DROPPED_MAX or len(pairs) >= BUSY_ROUNDS_MAX):
        return False
    if len(pairs) >= max(parameters.rounds, parameters.rounds_max):
        return False
    return found is None or found.rounds < parameters.rounds or not _is_clear(found, parameters)


def _is_clear(found: Speedup, parameters: SpeedUp) -> bool:
    """Say whether the interval lies wholly on one side of each bound."""
    return found.interval is not None and not any(
        found.interval[0] <= bound <= found.interval[1] for bound in parameters.bounds
    )


def _too_noisy(found: Speedup, parameters: SpeedUp) -> str | None:
    if _is_clear(found, parameters):
        return None
    return "too noisy to tell, run it on a quieter machine"


def _no_room(found: Speedup, parameters: SpeedUp, sound: Sequence[Pair]) -> str | None:
    """Say why the machine, and not the service, may be the reason for a ratio under a bound.

    Calls that use ``own_cores`` one after another are at best ``room / own_cores`` times as fast
    together. Calls that mostly wait need no room, so they find no excuse here.
    """
    measured = [one.machine for one in sound if one.machine is not None and one.machine.own_cores]
    over = [bound for bound in parameters.bounds if bound >= found.ratio]
    if not measured or not over:
        return None
    possible = median([one.room / one.own_cores for one in measured])
    if possible > over[0]:
        return None
    return (
        f"the machine had no room for more than {possible:.2f}, as a control shows: all at once, as"
        f" many threads as there are calls did {median([one.room for one in measured]):.2f} times"
        f" the work of one, and the calls used {median([one.own_cores for one in measured]):.2f}"
        " cores one after another; run it on more or quieter cores"
    )


def _machine_words(sound: Sequence[Pair]) -> str:
    machine = [one.machine for one in sound if one.machine is not None]
    if not machine:
        return ""
    foreign = [one.foreign_cores for one in machine if one.foreign_cores is not None]
    if not foreign:
        return ", what others used is not known on this system"
    return f", others used {median(foreign):.2f} cores"


def _dropped_words(pairs: Sequence[Pair]) -> str:
    """Say which rounds do not count, and why; an empty text if all do."""
    foreign = [one.machine.foreign_cores or 0.0 for one in pairs if one.machine and one.is_busy]
    ends = sorted({min(foreign), max(foreign)}) if foreign else []
    cores = " to ".join(f"{one:.2f}" for one in ends)
    rounds: dict[str, list[int]] = {}
    for one in pairs:
        if one.spoilt_by is not None:
            reason = f"others used {cores} cores" if one.is_busy else one.spoilt_by
            rounds.setdefault(reason, []).append(one.round)
    if not rounds:
        return ""
    told = (
        f"{reason} in round{'s' * (len(some) > 1)} {', '.join(map(str, some))}"
        for reason, some in rounds.items()
    )
    return f"; {sum(map(len, rounds.values()))} of {len(pairs)} rounds dropped: {'; '.join(told)}"


KIND = CheckKind(name="speedup", parameters=SpeedUp, check=speed_up, timed=True, faultless=True)
