"""What runs cost in two trees: rounds of both at once, until each difference is known or excluded.

All intervals of a whole comparison, however often one looks at them, hold together with 95 %
confidence: each of the looks, and each scenario, has its equal share of the 5 %.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Protocol

from harness.history.signed_ranks import centre, rank_interval
from harness.results.comparisons import Measured, Way
from harness.results.wording import count

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["ERROR", "LOOKS", "Racing", "Terms", "measured"]

# The chance that anything at all is said wrongly of a comparison.
ERROR = 0.05
# So often one looks whether more rounds are needed: first when there are just enough, then after
# half as many again; the last look is at the end of the time.
LOOKS = 6
MORE = 1.5
# CPU seconds of one side, at least, that a round gives a scenario; and all of them together at
# least as many as the start of a process took.
BOUT_S = 0.1
# A difference counts from a fifth of the smallest one that must be found: folders and places in
# memory alone make some.
MARGIN_SHARE = 0.2


class Racing(Protocol):
    """Two processes that answer at once."""

    def both(self, do: str, **asked: Any) -> list[dict[str, Any]]:
        """Ask both for the same."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How to measure: the seeds, the time in seconds, and the smallest difference to be found.

    ``difference`` is a share, such as 0.05. ``clock`` and ``budget_s`` are wall seconds.
    """

    seed: int = 0
    seeds: int = 1
    system: str | None = None
    budget_s: float = 300.0
    difference: float = 0.05
    clock: Callable[[], float] = time.monotonic


@dataclass(slots=True, kw_only=True)
class _Log:
    """The rounds of one target: logarithms of new to old, and CPU seconds of a run of each."""

    ratios: list[float] = field(default_factory=list)
    old_s: list[float] = field(default_factory=list)
    new_s: list[float] = field(default_factory=list)
    runs: int = 0


def measured(
    targets: list[str],
    open_race: Callable[[int], AbstractContextManager[Racing]],
    terms: Terms,
    *,
    progress: Callable[[str], None] | None = None,
) -> list[Measured]:
    """Measure the CPU seconds of each target in both trees, in their order.

    Args:
        targets: What is run, as the processes name it.
        open_race: Starts two fresh processes, for the round of a number.
        terms: How to measure.
        progress: Is told after each look.
    """
    begin_s, longest_s, rounds = terms.clock(), 0.0, 0
    looks = _looks(len(targets))
    logs = {target: _Log() for target in targets}
    found: dict[str, Measured] = {}
    while len(found) < len(targets):
        round_s = terms.clock()
        if rounds and (rounds == looks[-1] or round_s - begin_s + longest_s > terms.budget_s):
            break
        left = [one for one in targets if one not in found]
        with open_race(rounds) as race:
            _round(race, {one: logs[one] for one in left}, terms)
        rounds += 1
        longest_s = max(longest_s, terms.clock() - round_s)
        if rounds in looks:
            judged = (_judged(one, logs[one], terms, len(targets)) for one in left)
            found.update({one.scenario: one for one in judged if one.way is not Way.UNKNOWN})
            if progress is not None:
                progress(f"{rounds} rounds: {len(found)} of {len(targets)} are known")
        elif progress is not None and rounds == 1:
            progress(f"a round takes {longest_s:.1f} s; at least {looks[0]} are needed")
    for one in targets:
        found.setdefault(one, _judged(one, logs[one], terms, len(targets)))
    return [found[one] for one in targets]


def _error(targets: int) -> float:
    """Return the chance that each bound of each interval may be missed with."""
    return ERROR / LOOKS / targets / 2


def _looks(targets: int) -> list[int]:
    """Say after how many rounds one looks; the look at the end of the time is not among them."""
    fewest = math.ceil(-math.log2(_error(targets)))
    return [math.ceil(fewest * MORE**number) for number in range(LOOKS - 1)]


def _round(race: Racing, logs: dict[str, _Log], terms: Terms) -> None:
    settled = race.both("warm_up", targets=list(logs), seed=terms.seed, system=terms.system)
    bout_s = max(BOUT_S, max(one["cpu_s"] for one in settled) / len(logs))
    for target, log in logs.items():
        took_s = max(one["took_s"][target] for one in settled)
        runs = max(1, math.ceil(bout_s / max(took_s, 1e-6)))
        asked = {"seed": terms.seed, "seeds": terms.seeds, "system": terms.system}
        old, new = race.both("measure", target=target, first=log.runs, runs=runs, **asked)
        log.runs += runs
        log.ratios.append(math.log(new["cpu_s"] / old["cpu_s"]))
        log.old_s.append(old["cpu_s"] / runs)
        log.new_s.append(new["cpu_s"] / runs)


def _judged(target: str, log: _Log, terms: Terms, targets: int) -> Measured:
    bounds = rank_interval(log.ratios, error=_error(targets))
    low, high = bounds or (None, None)
    return Measured(
        scenario=target,
        what="CPU of a run",
        way=Way.UNKNOWN if bounds is None else _way(*bounds, terms.difference),
        unit="s",
        old=median(log.old_s),
        new=median(log.new_s),
        ratio=math.exp(centre(log.ratios)),
        low=None if low is None else math.exp(low),
        high=None if high is None else math.exp(high),
        samples=len(log.ratios),
        why=None if bounds else _why(log),
    )


def _why(log: _Log) -> str:
    return f"only {count(len(log.ratios), 'round')} in the time; give more --budget"


def _way(low: float, high: float, difference: float) -> Way:
    margin, excluded = math.log1p(MARGIN_SHARE * difference), math.log1p(difference)
    if low > margin:
        return Way.SLOWER
    if high < -margin:
        return Way.FASTER
    return Way.ALIKE if -excluded < low and high < excluded else Way.UNKNOWN
