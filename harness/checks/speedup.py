"""The check that a phase's operations take less time together than one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, model_validator

from harness.checks.findings import judged, longest_hold, nothing_to_judge
from harness.checks.kind import CheckKind
from harness.checks.parameters import PHASE, Parameters
from harness.history.contention import culprit
from harness.history.records import NodeKind
from harness.history.timings import fresh_random, speedup

if TYPE_CHECKING:
    from typing import Self

    from harness.history.records import History, Measurement
    from harness.history.timings import Speedup
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SpeedUp", "is_decided", "speed_up"]

LIVE_ROUNDS_MIN = 5


class SpeedUp(Parameters):
    """The phase takes over ``above`` times as long one call after another as all together.

    Or at most ``at_most`` times as long: that its calls take turns, as those of one client must.

    ``rounds`` pairs are timed, each on fresh storage, in alternating order after a warm-up. When
    simulated the time is virtual, and a single round is exact. When live the medians count, and
    further rounds, up to ``rounds_max``, follow as long as the 95 % bootstrap interval of their
    ratio holds a bound. The check passes once the whole interval lies between the bounds. If it
    never does, the machine is too noisy: the verdict is UNKNOWN, unless the ratio itself is beyond.
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
    rounds: int = Field(default=5, ge=1, le=1_000, description="timed pairs, at least")
    rounds_max: int = Field(
        default=31, ge=1, le=1_000, description="timed pairs, at most, where noise asks for more"
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
    """Compare the medians of both pacings.

    UNKNOWN where too few rounds count, failed operations spoil most of them, or the timings are not
    of the same work.
    """
    expected = f"a speed-up {parameters}"
    timed, sound = _timings(history, parameters)
    spoilt = len(timed) - len(sound)
    found = speedup(sound, random=fresh_random())
    need = 1 if history.node is NodeKind.SIMULATED else LIVE_ROUNDS_MIN
    if found is None or found.rounds < need or spoilt > len(sound):
        return nothing_to_judge(
            "speedup",
            expected=expected,
            seen=f"{0 if found is None else found.rounds} of at least {need} sound rounds;"
            f" {spoilt} of {len(timed)} timings spoilt by failed operations",
        )
    amounts = sorted({one.succeeded for one in sound})
    if len(amounts) > 1:
        sizes = " and ".join(map(str, amounts))
        return nothing_to_judge(
            "speedup",
            expected=expected,
            seen=f"timings of {sizes} operations, not of the same work",
        )
    measured = history.node is NodeKind.LIVE
    between = f" between {found.low:.2f} and {found.high:.2f}," if measured else ""
    seen = (
        f"{found.ratio:.2f},{between} sequential {found.sequential_s:.3f} s,"
        f" together {found.together_s:.3f} s, {found.rounds} round{'s' * (found.rounds != 1)}"
    )
    if measured and parameters.takes(found.ratio) and not _is_clear(found, parameters):
        seen = f"{seen}: too noisy to tell, run it on a quieter machine"
        return nothing_to_judge("speedup", expected=expected, seen=seen)
    too_fast = parameters.at_most is not None and found.ratio > parameters.at_most
    return judged(
        "speedup",
        parameters.takes(found.ratio),
        expected=expected,
        seen=seen,
        why=None if too_fast else culprit(history, sound) or longest_hold(history),
    )


def is_decided(history: History, parameters: SpeedUp) -> bool:
    """Return True once the interval lies wholly on one side of each bound: no round is needed."""
    found = speedup(_timings(history, parameters)[1], random=fresh_random())
    return found is not None and _is_clear(found, parameters)


def _is_clear(found: Speedup, parameters: SpeedUp) -> bool:
    return not any(found.low <= bound <= found.high for bound in parameters.bounds)


def _timings(history: History, parameters: SpeedUp) -> tuple[list[Measurement], list[Measurement]]:
    """List the phase's timings, and those of them with operations of which none failed."""
    timed = [
        one for one in history.measurements if one.phase == parameters.phase and not one.warm_up
    ]
    return timed, [one for one in timed if one.succeeded and not one.failed]


KIND = CheckKind(name="speedup", parameters=SpeedUp, check=speed_up, timed=True, faultless=True)
