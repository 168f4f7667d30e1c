"""Claims about worker processes: what becomes of the work at which one dies."""

from __future__ import annotations

import signal

from harness.processes.pool import in_workers


def test_work_lost_when_all_is_to_end_is_neither_run_again_nor_given_up():
    begun, told = [], []
    work = iter([1, 2, 3])

    def begin(pool, one):
        begun.append(one)
        return pool.submit(signal.raise_signal, signal.SIGKILL)

    ends = in_workers(
        lambda: next(work, None), begin, processes=1, at_once=2,
        on_death=told.append, stopped=lambda: bool(begun),
    )  # fmt: skip
    assert (list(ends), told, begun) == ([], [], [1, 2])
