"""The points of a plain service: what it is given to call, and what a scenario may name."""

from __future__ import annotations

import builtins
import difflib
import sys
from typing import TYPE_CHECKING

from harness.choices.points import OPERATION
from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.choices.points import Interception
    from harness.scenario.model import Scenario

__all__ = ["PlainPoints", "named_points", "point_mistakes"]

# Without deadlines, which a plain service need not have, what hangs would hang for ever.
CHAOS_KINDS = ("fail",)
DEFAULT_ERROR = "ConnectionError"


class PlainPoints:
    """What a service gets as ``points``: ``await points("seat.taken")`` is to arrive at a point.

    Errors are looked for in the service's module, then among Python's own.
    """

    def __init__(self, service: type, interception: Interception) -> None:
        self._names = named_points(service)
        self._service = service
        self._interception = interception
        interception.error_named = self._error_named
        interception.named = self._names

    async def __call__(self, name: str, **key: str) -> None:
        """Be parked, cancelled, failed or delayed for ever, as a scenario or a search asks for.

        ``key`` may hold a ``user``; without it, that of the running operation is meant.

        Raises:
            BadInput: The class does not list the point.
        """
        if name not in self._names:
            known = ", ".join(self._names) or "none"
            msg = (
                f'{self._service.__qualname__}.points does not list "{name}", which is called;'
                f" it lists: {known}"
            )
            raise BadInput(msg)
        running = OPERATION.get()
        whose = {} if running is None or running.user is None else {"user": running.user}
        await self._interception.reach(name, whose | key, kinds=CHAOS_KINDS)

    def _error_named(self, name: str | None, message: str) -> Exception:
        found = _error_class(self._service, name or DEFAULT_ERROR)
        if found is None:
            msg = f'fault.error: {self._service.__module__} has no error "{name}"'
            raise BadInput(msg)
        return found(message)


def named_points(service: type) -> tuple[str, ...]:
    """List the points that a class names; an attribute of another kind means something else."""
    named = getattr(service, "points", ())
    if not isinstance(named, tuple | list) or not all(isinstance(one, str) for one in named):
        return ()
    return tuple(named)


def point_mistakes(service: type, scenario: Scenario) -> Iterator[str]:
    """Find points and errors that a scenario names, and the class does not have."""
    for number, phase in enumerate(scenario.phase):
        for position, step in enumerate(phase.do):
            where = f"phase[{number}].do[{position}]"
            if step.park is not None:
                yield from _problem(service, step.park.at, where=f"{where}.park.at")
            if step.cancel is not None and step.cancel.at is not None:
                yield from _problem(service, step.cancel.at, where=f"{where}.cancel.at")
    for number, fault in enumerate(scenario.fault):
        yield from _problem(service, fault.at, where=f"fault[{number}].at")
        if fault.kind == "die":
            yield f'fault[{number}].kind: a plain service has no client to die; write "fail"'
        if fault.error is not None and _error_class(service, fault.error) is None:
            yield f'fault[{number}].error: {service.__module__} has no error "{fault.error}"'


def _problem(service: type, point: str, *, where: str) -> Iterator[str]:
    names = named_points(service)
    if point in names:
        return
    if not names:
        yield (
            f'{where}: {service.__qualname__} has no points; list them in it, points = ("{point}",)'
            ", and call those that it is given as the argument points"
        )
        return
    close = difflib.get_close_matches(point, names, n=1)
    hint = f'did you mean "{close[0]}"? ' if close else ""
    yield f'{where}: {service.__qualname__} has no point "{point}"; {hint}known: {", ".join(names)}'


def _error_class(service: type, name: str) -> type[Exception] | None:
    module = sys.modules.get(service.__module__)
    found = getattr(module, name, None) or getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None
