"""The machine under live runs: its counters of CPU time, and how much room it has."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from harness.history.machine_load import MachineReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Machine"]

_BLOCK = bytes(512 * 1024)
THREADS_MAX = 64
# The fields of /proc/stat (man 5 proc) from "user" on, and those of /proc/PID/stat after the name.
_IDLE, _IOWAIT, _STEAL = 3, 4, 7
_PARENT, _TIMES = 1, slice(11, 15)


class Machine:
    """Reads the counters of this machine, and tries how many threads it lets work at once.

    ``partner_s`` returns the CPU seconds of what the service talks to, or None where they are not
    known: then they count as foreign. ``proc`` is where the system shows its counters; without
    such a folder nothing is known of others.
    """

    def __init__(
        self, *, partner_s: Callable[[], float | None] = lambda: None, proc: Path = Path("/proc")
    ) -> None:
        self._partner_s = partner_s
        self._proc = proc

    def read(self) -> MachineReading:
        """Read the counters.

        What is busy is what is neither idle nor stolen, since Linux counts idle time exactly, but
        charges a whole tick to whoever runs as it ends. Idle time is shown in hundredths of a
        second, so the load of 0.3 s is known to about 0.03 cores (at worst 0.07).
        """
        children_s = sum(os.times()[2:4]) + sum(self._descendants_s())
        partner_s = self._partner_s() or 0.0
        at_s, own_s = time.perf_counter(), time.process_time()
        try:
            lines = (self._proc / "stat").read_text(encoding="ascii").splitlines()
        except OSError:
            busy_s = stolen_s = None
        else:
            cores = sum(line[:3] == "cpu" and line[3] != " " for line in lines)
            ticks = [int(field) for field in lines[0].split()[1:]]
            stolen_s = _seconds(ticks[_STEAL])
            busy_s = cores * at_s - _seconds(ticks[_IDLE] + ticks[_IOWAIT]) - stolen_s
        return MachineReading(
            at_s=at_s, own_s=own_s + children_s + partner_s, busy_s=busy_s, stolen_s=stolen_s
        )

    async def room(self, threads: int, *, for_s: float) -> float:
        """Return how many times the work of one thread so many do at once, up to 64.

        The work is hashing, which needs no interpreter lock. One thread works for a half of
        ``for_s`` seconds, then all together for the other half.
        """
        loop = asyncio.get_running_loop()
        threads = min(threads, THREADS_MAX)
        # Never a single worker: that would be a queue, which is looked at like a lock.
        with ThreadPoolExecutor(max(threads, 2), thread_name_prefix="room") as pool:
            rates = [
                sum(
                    await asyncio.gather(
                        *(loop.run_in_executor(pool, _hash, for_s / 2) for _ in range(number))
                    )
                )
                for number in (1, threads)
            ]
        return rates[1] / rates[0]

    def _descendants_s(self) -> Iterator[float]:
        """CPU seconds of each process that began from this one, with what it waited for itself."""
        children: dict[int, list[int]] = {}
        used: dict[int, float] = {}
        for place in self._proc.glob("[0-9]*/stat"):
            try:
                fields = place.read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            except OSError:
                continue  # It has ended.
            after_name = fields.split()
            pid = int(place.parent.name)
            children.setdefault(int(after_name[_PARENT]), []).append(pid)
            used[pid] = _seconds(sum(map(int, after_name[_TIMES])))
        waiting = [os.getpid()]
        while waiting:
            for pid in children.get(waiting.pop(), ()):
                waiting.append(pid)
                yield used[pid]


def _hash(for_s: float) -> float:
    """Hash for a while; return the blocks per second."""
    begin_s = now_s = time.perf_counter()
    blocks = 0
    while now_s - begin_s < for_s or not blocks:
        hashlib.sha256(_BLOCK)
        blocks += 1
        now_s = time.perf_counter()
    return blocks / (now_s - begin_s)


def _seconds(ticks: int) -> float:
    return ticks / os.sysconf("SC_CLK_TCK")
