"""The clocks of a run: all of them tell virtual time, in UTC, however they were imported."""

from __future__ import annotations

import datetime as dt
import os
import time
from typing import TYPE_CHECKING, Any

from harness.processes.below_python import original

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["EPOCH_S", "guard_clocks", "guard_time_zone"]

# What time.time() says when a run begins: 2026-01-01T00:00:00Z.
EPOCH_S = 1_767_225_600
# Where the machine stands must not decide a run.
ZONE = "UTC"

_gmtime, _localtime = original(time.gmtime), original(time.localtime)
_strftime, _asctime = original(time.strftime), original(time.asctime)
_real_times = {"CLOCK_REALTIME", "CLOCK_TAI"}


def guard_clocks(
    patches: PreparedPatches, now: Callable[[], float], failed: Callable[[Exception], object]
) -> None:
    """Have the clocks of ``time``, ``datetime`` and ``os`` go by ``now``, the run's seconds.

    Those that count CPU time do, too: code takes none in virtual time. ``failed`` is told what
    ``datetime.now()`` raises, which C cannot hand on.
    """

    def now_ns() -> int:
        return round(now() * 1e9)

    def wall() -> float:
        return EPOCH_S + now()

    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        if hasattr(time, name):
            patches.replace_here(time, name, now)
            patches.replace_here(time, f"{name}_ns", now_ns)
    patches.replace_here(time, "time", wall)
    patches.replace_here(time, "time_ns", lambda: EPOCH_S * 1_000_000_000 + now_ns())
    _guard_numbered_clocks(patches, now, now_ns)
    _guard_calendar(patches, wall)
    _guard_datetime(patches, wall, failed)


def _guard_numbered_clocks(
    patches: PreparedPatches, now: Callable[[], float], now_ns: Callable[[], int]
) -> None:
    if not hasattr(time, "clock_gettime"):
        return
    walls = {number for name, number in vars(time).items() if name in _real_times}

    def clock_gettime(clock: int, /) -> float:
        return EPOCH_S + now() if clock in walls else now()

    def clock_gettime_ns(clock: int, /) -> int:
        return (EPOCH_S * 1_000_000_000 if clock in walls else 0) + now_ns()

    patches.replace_here(time, "clock_gettime", clock_gettime)
    patches.replace_here(time, "clock_gettime_ns", clock_gettime_ns)


def _guard_calendar(patches: PreparedPatches, wall: Callable[[], float]) -> None:
    """Guard what takes this moment where none is given."""

    def gmtime(seconds: float | None = None, /) -> time.struct_time:
        return _gmtime(wall() if seconds is None else seconds)

    def localtime(seconds: float | None = None, /) -> time.struct_time:
        return _localtime(wall() if seconds is None else seconds)

    def ctime(seconds: float | None = None, /) -> str:
        return _asctime(localtime(seconds))

    def asctime(moment: Any = None, /) -> str:
        return _asctime(localtime() if moment is None else moment)

    def strftime(form: str, moment: Any = None, /) -> str:
        return _strftime(form, localtime() if moment is None else moment)

    def times() -> os.times_result:
        # No CPU time is used; the last figure is the time since some moment.
        return os.times_result((0.0, 0.0, 0.0, 0.0, wall()))

    for function in (gmtime, localtime, ctime, asctime, strftime):
        patches.replace_here(time, function.__name__, function)
    patches.replace_here(os, "times", times)


def _guard_datetime(
    patches: PreparedPatches, wall: Callable[[], float], failed: Callable[[Exception], object]
) -> None:
    # date.today() and datetime.today() ask time.time(), and so are guarded with it.
    def now(kind: type[dt.datetime], tz: dt.tzinfo | None = None) -> dt.datetime:
        return kind.fromtimestamp(wall(), tz)

    def utcnow(kind: type[dt.datetime]) -> dt.datetime:
        return kind.fromtimestamp(wall(), dt.UTC).replace(tzinfo=None)

    patches.replace_class_method(dt.datetime, "now", now, failed=failed)
    patches.replace_class_method(dt.datetime, "utcnow", utcnow, failed=failed)


def guard_time_zone(patches: PreparedPatches) -> None:
    """Set the process's time zone to UTC while the patches are open; a run may set another."""
    if not hasattr(time, "tzset"):
        return
    set_zone = original(time.tzset)
    before: str | None = None
    changed = False

    def begin() -> None:
        nonlocal before, changed
        before = os.environ.get("TZ")
        # To set it anew costs much of a short run, and many a machine is there already.
        changed = not (before in {None, ZONE} and time.tzname == (ZONE, ZONE))
        if changed:
            _set_zone(ZONE, set_zone)

    def put_back() -> None:
        if changed or os.environ.get("TZ") != before:
            _set_zone(before, set_zone)

    def tzset() -> None:
        nonlocal changed
        changed = True
        set_zone()

    patches.add(begin, put_back)
    patches.replace_here(time, "tzset", tzset)


def _set_zone(name: str | None, set_zone: Callable[[], None]) -> None:
    if name is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = name
    set_zone()
