"""A search of production mode for one order: what a run logged is compared as it goes."""

from __future__ import annotations

import heapq

from harness.simulated.repeated_runs import SearchRuns

__all__ = ["GuidedSearch"]

# Runs after which an order is taken for one that is not there.
RUNS_MAX = 3_000


class _Path:
    """Follows its picks, then chooses the defaults; it notes how many alternatives there were."""

    def __init__(self, program, picks):
        self._program = program
        self.picks = list(picks)
        self.counts = []
        self.had = []

    def order(self, options):
        return self._pick(len(options))

    def choose(self, kind, count, label):
        del kind, label
        return self._pick(count)

    def _pick(self, count):
        at = len(self.counts)
        if self._program.parted or self._program.over:
            return 0
        self.counts.append(count)
        self.had.append(len(self._program.log))
        if at == len(self.picks):
            self.picks.append(0)
        return self.picks[at]


class GuidedSearch:
    """Says whether production mode has an order: goes on where most of its log was had so far.

    A decision after a run has parted from the log changes nothing of it, so only those before are
    tried otherwise.
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
        left = [(0, 0, [])]
        while left and self.runs < runs_max:
            _, _, picks = heapq.heappop(left)
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
                    heapq.heappush(left, (rank, -self._pushed, [*path.picks[:at], other]))
        return False
