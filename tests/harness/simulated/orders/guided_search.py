"""A search of production mode for one order: what a run logged is compared as it goes."""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict

from harness.simulated.repeated_runs import SearchRuns

__all__ = ["GuidedSearch"]

# Runs after which an order is taken for one that is not there.
RUNS_MAX = 10_000

# How the choice ends in words that has a thread do its work before its result comes.
EARLY = "works before its result comes"


class _Path:
    """Follows its picks, then chooses the defaults; it notes how many alternatives there were."""

    def __init__(self, program, picks):
        self._program = program
        self.picks = list(picks)
        self.counts = []
        self.had = []
        self.of_threads = []

    def order(self, options):
        return self._pick(len(options))

    def choose(self, kind, count, label):
        del kind
        if label.endswith(EARLY):
            self.of_threads.append(len(self.counts))
        return self._pick(count)

    def threads_of(self, picks):
        """Return which threads of this run work early by these picks, up to the last that does."""
        early = [picks[at] for at in self.of_threads if at < len(picks)]
        while early and not early[-1]:
            early.pop()
        return tuple(early)

    def _pick(self, count):
        at = len(self.counts)
        if self._program.parted or self._program.over:
            return 0
        self.counts.append(count)
        self.had.append(len(self._program.log))
        if at == len(self.picks):
            self.picks.append(0)
        return self.picks[at]


class _Left:
    """What is left to try with the same threads early: the best, and every second time any."""

    def __init__(self):
        self._best = []
        self._any = []
        self._draw = random.Random(0)
        self._turns = 0
        self._count = 0

    def __len__(self):
        return self._count

    def push(self, rank, number, picks):
        entry = [rank, number, picks]
        heapq.heappush(self._best, entry)
        self._any.append(entry)
        self._count += 1

    def pop(self):
        self._turns += 1
        picks = None
        while picks is None:
            if self._turns % 2:
                entry = heapq.heappop(self._best)
            else:
                at = self._draw.randrange(len(self._any))
                self._any[at], self._any[-1] = self._any[-1], self._any[at]
                entry = self._any.pop()
            picks, entry[2] = entry[2], None
        self._count -= 1
        return picks


class GuidedSearch:
    """Says whether production mode has an order: goes on where most of its log was had so far.

    A decision after a run has parted from the log changes nothing of it, so only those before are
    tried otherwise. Whether a thread works early shows only long after that was decided, so that
    much of a log may be had by the wrong decision: runs are shared out among all of these. Nor does
    any other decision show at once, so half of the runs go on from anywhere.
    """

    def __init__(self, program, **options):
        self._program = program
        self._search = SearchRuns(program.main, **options)
        self.runs = 0
        self.picks = None
        self._pushed = 0

    def __enter__(self):
        self._search.__enter__()
        return self

    def __exit__(self, *error):
        self._search.__exit__(*error)

    def reaches(self, log, *, runs_max=RUNS_MAX):
        """Return True if a run has this log; False if none of ``runs_max`` has."""
        self._program.expected = log
        self.runs = 0
        left = defaultdict(_Left)
        left[()].push(0, 0, [])
        spent = Counter()
        while left and self.runs < runs_max:
            threads = min(left, key=lambda one: (spent[one], one))
            spent[threads] += 1
            picks = left[threads].pop()
            if not left[threads]:
                del left[threads]
            path = _Path(self._program, picks)
            self._search.run(path)
            self.runs += 1
            if not self._program.parted and self._program.log == log:
                self.picks = path.picks
                return True
            others = sum(pick > 0 for pick in picks)
            for at in range(len(picks), len(path.counts)):
                # Few decisions other than the default, and much of the log: both are good.
                rank = others - path.had[at] - len(self._program.log)
                for other in range(1, path.counts[at]):
                    self._pushed += 1
                    further = [*path.picks[:at], other]
                    left[path.threads_of(further)].push(rank, -self._pushed, further)
        return False
