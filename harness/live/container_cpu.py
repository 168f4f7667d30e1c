"""The CPU time of a container, from the counter of its control group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ContainerCpu"]


class ContainerCpu:
    """Reads how much CPU time a container has used; costs one read of a small file.

    ``pid`` is a process of the container, numbered as on this machine. Both versions of control
    groups are known: the first counts nanoseconds in ``cpuacct.usage``, the second microseconds in
    ``cpu.stat``.
    """

    def __init__(self, pid: int, *, proc: Path = Path("/proc")) -> None:
        self._counter = next(_counters(pid, proc), None)

    def used_s(self) -> float | None:
        """CPU seconds so far, or None if this system does not tell."""
        if self._counter is None:
            return None
        try:
            text = self._counter.read_text(encoding="ascii")
        except OSError:
            return None
        if self._counter.name == "cpuacct.usage":
            return int(text) / 1e9
        return int(dict(line.split() for line in text.splitlines())["usage_usec"]) / 1e6


def _counters(pid: int, proc: Path) -> Iterator[Path]:
    """Find the counters of a process's control group, that of the first version before others."""
    try:
        groups = (proc / str(pid) / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "self" / "mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for kind, counter in (("cgroup", "cpuacct.usage"), ("cgroup2", "cpu.stat")):
        controller = counter.partition(".")[0] if kind == "cgroup" else ""
        for group in groups:
            _, controllers, inside = group.split(":", 2)
            # The group of all is no container's.
            if controller not in controllers.split(",") or inside == "/":
                continue
            for mount in mounts:
                _, place, mounted_as, options, *_ = mount.split(" ")
                if mounted_as == kind and (not controller or controller in options.split(",")):
                    found = Path(place) / inside.lstrip("/") / counter
                    if found.is_file():
                        yield found
