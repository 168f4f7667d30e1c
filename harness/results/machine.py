"""The versions of packages, and facts about the machine, for reports."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["facts", "versions"]

_PACKAGES = ("mosaic-harness", "simpy", "pydantic", "jinja2", "rich", "typer")
_PACKAGES_LIVE = ("mosaic-miden-client", "testcontainers", "docker")


def versions() -> dict[str, str]:
    """Map package to version: Python and what the harness needs, then what live mode adds.

    A package that is not installed is left out, except the harness itself, which then runs from its
    source tree and says so.
    """
    found = {"python": f"{platform.python_implementation()} {platform.python_version()}"}
    for package in (*_PACKAGES, *_PACKAGES_LIVE):
        installed = _version(package)
        if installed is not None:
            found[package] = installed
    found.setdefault("mosaic-harness", "source tree")
    return found


def facts() -> dict[str, str]:
    """Describe the machine: cores, memory_gib, system, processor; never its name or paths."""
    return {
        "cores": str(_cores()),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}".strip(),
        "processor": _processor(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cores() -> int:
    # Cores this process may use: in a container fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_gib() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return "unknown"
    return f"{size / 2**30:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine() or "unknown"
