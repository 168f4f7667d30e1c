"""The identity of processes: whether the one that made something is still there."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessIdentity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """One process for all time: a pid alone comes round again.

    ``host`` is where the pid counts (machine, pid namespace, user), ``started`` when the
    process began, in the words of the system. Two containers that share a Docker daemon have
    different hosts, so neither takes the other's processes for dead.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessIdentity:
        """Name this process."""
        return cls(host=_host(), pid=os.getpid(), started=_start_of(os.getpid()) or "?")

    @classmethod
    def parse(cls, text: str) -> ProcessIdentity | None:
        """Read what ``str`` wrote; None for anything else."""
        match text.split("|"):
            case [host, pid, started] if pid.isdecimal():
                return cls(host=host, pid=int(pid), started=started)
        return None

    def __str__(self) -> str:
        return f"{self.host}|{self.pid}|{self.started}"

    @property
    def is_gone(self) -> bool:
        """True when the process surely has ended; False when it runs, or that can't be known."""
        return self.host == _host() and _start_of(self.pid) != self.started


def _host() -> str:
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = "-"
    # The user is part of it, because another user's processes may be hidden from this one.
    return f"{socket.gethostname()}:{namespace}:{os.getuid()}"


def _start_of(pid: int) -> str | None:
    """Say when a process began, or None if there is none of that pid."""
    try:
        # Start time in ticks since boot: field 22, counted after the name, which may hold spaces.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_by_ps(pid)
    except ProcessLookupError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else f"{fields[19]}@{boot[:8]}"


def _start_by_ps(pid: int) -> str | None:
    """Ask ps, where there is no /proc (macOS)."""
    answer = subprocess.run(  # noqa: S603 - fixed but for a number
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - ps has no one place
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return answer.stdout.strip() or None
