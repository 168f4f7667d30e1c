"""What the last signals of an event or a condition say about a wait that does not end."""

from __future__ import annotations

import ast
import asyncio
import inspect
import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING

from harness.diagnosis.await_chain import frames_of, program_frame

if TYPE_CHECKING:
    from types import CodeType

    from harness.diagnosis.signals.signal_ledger import Signal, SignalLedger, Waiting
    from harness.diagnosis.waits import Wait

__all__ = ["LOST", "reason_in_signals"]

LOST = "lost wake-up"

# A set() that the same task clears within this many seconds is for those who wait at that moment.
_PULSE_S = 1e-3


def reason_in_signals(wait: Wait, signals: SignalLedger) -> str | None:
    """Describe a signal that came too early or woke other tasks instead, or a closed gate."""
    since = signals.waiting(wait.task)
    if since is None:
        return None
    if isinstance(wait.thing, asyncio.Event):
        return _of_event(wait, since, signals)
    if isinstance(wait.thing, asyncio.Condition):
        return _of_condition(wait, since, signals)
    return None


def _of_event(wait: Wait, since: Waiting, signals: SignalLedger) -> str | None:
    """Say who cleared the event last, and that a wake-up was lost only if it was a pulse.

    A task that sets an event and clears it at once means those that wait then. Any other event may
    be a gate, and what is set for a time a state: when it was closed again, nobody lost anything.
    """
    cleared = signals.last(wait.thing, "clear")
    if cleared is None or cleared.order > since.order:
        return None
    set_before = signals.last(wait.thing, "set")
    undone = ""
    if set_before is not None and set_before.order < cleared.order:
        taken = set_before.woken or signals.passed(wait.thing) > set_before.order
        if not (taken or set_before.constructs) and _is_pulse(set_before, cleared):
            message = f"{_called(wait, set_before, 'set')}, undone by clear() at {cleared.where},"
            return _came_before(wait, since, message)
        if set_before.woken and _is_pulse(set_before, cleared):
            undone = f", just after set() at {set_before.where} woke {set_before.woken}"
        elif not (taken or set_before.prepares):
            undone = (
                f", which undid set() at {set_before.where} by {set_before.task}{_when(set_before)}"
            )
    itself = " itself" if cleared.task == wait.task.get_name() else ""
    by = f"{cleared.task}{itself}{_when(cleared)}"
    return f"it was cleared at {cleared.where} by {by}{undone}, and not set since"


def _is_pulse(set_before: Signal, cleared: Signal) -> bool:
    if set_before.at_s is None or cleared.at_s is None or set_before.task != cleared.task:
        return False
    return cleared.at_s - set_before.at_s < _PULSE_S


def _of_condition(wait: Wait, since: Waiting, signals: SignalLedger) -> str | None:
    """Describe a notify() that woke too few, or that came before the wait and woke nobody."""
    notified = signals.last(wait.thing, "notify")
    if notified is None:
        return None
    message = _called(wait, notified, "notify")
    if notified.order > since.order:
        if notified.woken == notified.waiting:
            return None
        return f"{LOST}: {message} woke {notified.woken} of {notified.waiting} that waited"
    # A task that looks at a predicate before it waits learns nothing new from an earlier notify.
    if notified.woken or wait.call == "wait_for" or _looked_first(wait):
        return None
    return _came_before(wait, since, message)


def _came_before(wait: Wait, since: Waiting, message: str) -> str:
    return f"{LOST}: {message} came before {wait.task.get_name()}'s wait at {since.at_s:.3f} s"


def _called(wait: Wait, signal: Signal, call: str) -> str:
    name = wait.waits_for.partition(" ")[2].partition(" (of ")[0]
    return f"`{name}.{call}()` at {signal.where}{_when(signal)}"


def _when(signal: Signal) -> str:
    return "" if signal.at_s is None else f" at {signal.at_s:.3f} s"


def _looked_first(wait: Wait) -> bool:
    frame = program_frame(frames_of(wait.task))
    return frame is not None and _in_a_loop_that_looks(frame.f_code, frame.f_lineno)


@lru_cache(maxsize=256)
def _in_a_loop_that_looks(code: CodeType, line: int) -> bool:
    """Return True for a line of ``while not there: await condition.wait()``, under the lock."""
    try:
        lines, begin = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return False
    line -= begin - 1
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.While | ast.AsyncWith)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    innermost = max(around, key=lambda node: node.lineno, default=None)
    return isinstance(innermost, ast.While) and not isinstance(innermost.test, ast.Constant)
