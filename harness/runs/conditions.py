"""The looking at a system's conditions while it runs: which hold, when, and at the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.checks.always import Always
from harness.checks.eventually import Eventually
from harness.checks.sometimes import Sometimes
from harness.errors import BadInput
from harness.history.records import ConditionRecord
from harness.scenario.words import hinted, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harness.history.records import NodeKind
    from harness.scenario.model import Scenario

__all__ = ["ConditionWatch", "condition_mistakes"]

# Looks in the time that conditions have to come to hold at the end.
SETTLING_LOOKS = 100


class _Seen:
    """What was seen of one condition."""

    __slots__ = (
        "end_reason", "error", "first_broken_s", "first_held_s", "held_at_end", "moments", "name",
        "reason",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.moments = 0
        self.first_held_s: float | None = None
        self.first_broken_s: float | None = None
        self.reason: str | None = None
        self.held_at_end: bool | None = None
        self.end_reason: str | None = None
        self.error: str | None = None


class ConditionWatch:
    """Looks at the conditions that a scenario's checks name; nothing is done for the others.

    A condition returns True if it holds, and False or a text that says why if it does not. One that
    raises, or returns anything else, is not asked again.
    """

    def __init__(self, scenario: Scenario, node: NodeKind, *, clock: Callable[[], float]) -> None:
        asked = [
            one.parameters
            for one in scenario.checks[node.value]
            if isinstance(one.parameters, Always | Eventually | Sometimes)
        ]
        self._seen = {name: _Seen(name) for one in asked for name in one.of}
        self._within_s = max(
            (one.within_s for one in asked if isinstance(one, Eventually)), default=0.0
        )
        self._clock = clock
        self._asked: list[tuple[_Seen, Callable[[], object]]] = []

    @property
    def observer(self) -> Callable[[], None] | None:
        """What to call at every moment; None if the scenario names no condition."""
        return self.observe if self._seen else None

    def bind(self, session: Any) -> None:
        """Look at an open system from now on.

        Raises:
            BadInput: It does not offer what was asked for.
        """
        if not self._seen:
            return
        offered = session.conditions() if hasattr(session, "conditions") else {}
        missing = [name for name in self._seen if name not in offered]
        if missing:
            raise BadInput(
                f"the open system offers no condition {listed(missing)}:"
                f" conditions() must return each that its adapter lists, got {listed(offered)}"
            )
        self._asked = [
            (seen, offered[name]) for name, seen in self._seen.items() if seen.error is None
        ]
        self.observe()

    def unbind(self) -> None:
        """Look no more: the system is being closed."""
        self._asked = []

    def observe(self) -> None:
        """Look at every condition, now."""
        for seen, ask in self._asked:
            holds, reason = self._look(seen, ask)
            if holds:
                if seen.first_held_s is None:
                    seen.first_held_s = self._clock()
            elif holds is False and seen.first_broken_s is None:
                seen.first_broken_s, seen.reason = self._clock(), reason

    async def end(self) -> None:
        """Look for the last time, once all conditions hold or their time is up."""
        if not self._asked:
            return
        for _ in range(SETTLING_LOOKS if self._within_s else 0):
            if all(self._look(*one)[0] for one in self._asked):
                break
            await asyncio.sleep(self._within_s / SETTLING_LOOKS)
        self.observe()
        for seen, ask in list(self._asked):
            seen.held_at_end, seen.end_reason = self._look(seen, ask)

    def found(self) -> tuple[ConditionRecord, ...]:
        """Give what was seen, in the order in which the scenario names the conditions."""
        return tuple(
            ConditionRecord(
                name=one.name,
                moments=one.moments,
                first_held_s=one.first_held_s,
                first_broken_s=one.first_broken_s,
                reason=one.reason,
                held_at_end=one.held_at_end,
                end_reason=one.end_reason,
                error=one.error,
            )
            for one in self._seen.values()
        )

    def _look(self, seen: _Seen, ask: Callable[[], object]) -> tuple[bool | None, str | None]:
        """Ask one condition: whether it holds, None if it cannot be told, and what it says."""
        seen.moments += 1
        try:
            answer = ask()
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is recorded
            seen.error = f"{type(error).__name__}: {error}"
        else:
            if isinstance(answer, bool):
                return answer, None
            if isinstance(answer, str):
                return False, answer
            seen.error = (
                "TypeError: a condition must return True, False or a text that says why it does"
                f" not hold, got {answer!r}"
            )
        self._asked = [one for one in self._asked if one[0] is not seen]
        return None, None


def condition_mistakes(scenario: Scenario, known: Collection[str]) -> list[str]:
    """Find conditions that a scenario names and its system does not list."""
    found: list[str] = []
    for checks in scenario.checks.values():
        for check in checks:
            if not isinstance(check.parameters, Always | Eventually | Sometimes):
                continue
            for name in check.parameters.of:
                if name in known:
                    continue
                hint = hinted(name, known, instead="it offers")
                none = "the system offers no conditions; list their names in its `conditions`"
                message = f'the system has no condition "{name}"; {hint}' if known else none
                found.append(f"check.{check.name}.of: {message}")
    return list(dict.fromkeys(found))
