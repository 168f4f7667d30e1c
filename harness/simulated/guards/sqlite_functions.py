"""SQLite's own functions of chance and of time, on connections that a run opens."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.processes.below_python import original

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from types import ModuleType

    from harness.processes.prepared_patches import PreparedPatches

__all__ = ["guard_sqlite"]

# What takes a moment of time, by the place where it stands; none there is this moment.
_OF_TIME = {"date": 0, "time": 0, "datetime": 0, "julianday": 0, "unixepoch": 0, "strftime": 1}
# Those that came with later versions of SQLite than all supported ones have.
_SINCE = {"unixepoch": (3, 38), "timediff": (3, 43)}
_THIS_MOMENT = {"current_timestamp": "datetime", "current_date": "date", "current_time": "time"}
_ANY_NUMBER = -1


def guard_sqlite(
    patches: PreparedPatches,
    sqlite: ModuleType,
    *,
    stream: Callable[[], random.Random],
    wall: Callable[[], float],
) -> None:
    """Replace ``connect`` of the module ``_sqlite3`` so that its connections know only the run."""
    connect = original(sqlite.connect)
    moments = _Moments(sqlite, wall)
    timed = moments.functions()
    present = {name: timed[like][1] for name, like in _THIS_MOMENT.items()}

    def drawn() -> int:
        return stream().getrandbits(64) - 2**63

    def drawn_bytes(size: Any) -> bytes:
        return stream().randbytes(max(1, int(size)))

    def opened(*args: Any, **kwargs: Any) -> Any:
        connection = connect(*args, **kwargs)
        # A class of one's own may have no such method, or another.
        with suppress(AttributeError, TypeError):
            connection.create_function("random", 0, drawn)
            connection.create_function("randomblob", 1, drawn_bytes)
            for name, function in present.items():
                connection.create_function(name, 0, function)
            for name, (count, function) in timed.items():
                connection.create_function(name, count, function, deterministic=True)
        return connection

    patches.replace_here(sqlite, "connect", opened)
    patches.add(bool, moments.close)


class _Moments:
    """SQLite's functions of time, for which now is the run's.

    Each is computed by a connection that is as it was, from a text that says when now is: so all
    modifiers mean what they mean.
    """

    def __init__(self, sqlite: ModuleType, wall: Callable[[], float]) -> None:
        self._sqlite, self._wall = sqlite, wall
        self._connect = original(sqlite.connect)
        self._plain: Any = None

    def functions(self) -> dict[str, tuple[int, Callable[..., Any]]]:
        """Return, by name, how many arguments each takes, and what it does."""
        found = {
            name: (_ANY_NUMBER, self._of_time(name, place)) for name, place in _OF_TIME.items()
        }
        found["timediff"] = (2, self._difference)
        version = tuple(int(part) for part in self._sqlite.sqlite_version.split(".")[:2])
        for name, since in _SINCE.items():
            if version < since:
                del found[name]
        return found

    def close(self) -> None:
        """Close the connection, if there was need of it."""
        if self._plain is not None:
            self._plain.close()
            self._plain = None

    def _of_time(self, name: str, place: int) -> Callable[..., Any]:
        def function(*given: Any) -> Any:
            arguments = [*given, "now"] if len(given) == place else [*given]
            if len(arguments) > place and _is_now(arguments[place]):
                arguments[place] = self._now()
            return self._asked(name, arguments)

        return function

    def _difference(self, *both: Any) -> Any:
        return self._asked("timediff", [self._now() if _is_now(one) else one for one in both])

    def _asked(self, name: str, arguments: list[Any]) -> Any:
        if self._plain is None:
            self._plain = self._connect(":memory:", check_same_thread=False)
        marks = ",".join("?" * len(arguments))
        return self._plain.execute(f"select {name}({marks})", arguments).fetchone()[0]

    def _now(self) -> str:
        moment = dt.datetime.fromtimestamp(self._wall(), dt.UTC)
        return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _is_now(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() == "now"
