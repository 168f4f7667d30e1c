"""The rules for phases, steps and faults that can be carried out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.scenario.mistakes import Mistake, place
from harness.scenario.model import OPERATIONS_MAX
from harness.scenario.rules.claims import never_succeeds
from harness.scenario.rules.order import ends_first
from harness.scenario.words import hinted, resembling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.scenario.model import Step
    from harness.scenario.outline import Outline, PhasePlace, StepPlace

__all__ = ["step_mistakes"]

WORDS = ("success", "any", "cancelled")
CANCELLED = ("CancelledError", "canceled", "Cancelled", "Canceled")
TOO_WIDE = ("Exception", "BaseException", "object")
REFERENCE = re.compile(r"\$[A-Za-z0-9][A-Za-z0-9_-]*(\..*)?", re.DOTALL)


def step_mistakes(outline: Outline) -> Iterator[Mistake]:
    """Find steps, phases and faults that cannot be carried out, or would do nothing."""
    for phase in outline.phases:
        if not any(phase.raw.get(key) for key in ("do", "restart", "node")):
            message = "has nothing to do: add [[phase.do]] with a call, restart = true, or node"
            yield Mistake(phase.where, message)
        yield from _draw(phase)
        yield from _close(phase)
        for one in phase.steps:
            yield from _cancel_when(one)
            if one.step is not None:
                yield from _one_step(one, one.step, outline)
    yield from _whole(outline)
    for number, fault in outline.faults:
        yield from _fault(f"fault[{number}]", fault)


def _draw(phase: PhasePlace) -> Iterator[Mistake]:
    """Find what has no meaning where calls are drawn, one after another."""
    if "draw" not in phase.raw:
        return
    if not phase.steps:
        yield Mistake(f"{phase.where}.draw", "has no step to draw from; add [[phase.do]]")
    for one in phase.steps:
        for key in ("start", "park", "cancel", "repeat"):
            if key in one.raw:
                message = f"has no meaning in a phase with draw = {phase.raw['draw']}; leave it out"
                yield Mistake(f"{one.where}.{key}", message)


def _close(phase: PhasePlace) -> Iterator[Mistake]:
    """Find a close that comes at no moment, or under no step."""
    close = phase.raw.get("close")
    if not isinstance(close, dict):
        return
    where = f"{phase.where}.close"
    if not phase.steps:
        yield Mistake(where, "has no step under way; add [[phase.do]], or write restart = true")
    elif "draw" in phase.raw:
        yield Mistake(where, "has no meaning in a phase with draw; leave it out")
    elif "after" not in close:
        yield from _without_after(where, named="when" in close, delay_ms=close.get("delay_ms"))


def _fault(where: str, fault: dict[str, Any]) -> Iterator[Mistake]:
    """Find keys that a fault of its kind does not have, or lacks."""
    kind = fault.get("kind")
    if "error" in fault and kind in ("hang", "die", "delay"):
        yield Mistake(f"{where}.error", f'only kind = "fail" raises an error; this is "{kind}"')
    if "delay_ms" in fault and kind in ("fail", "hang", "die"):
        yield Mistake(f"{where}.delay_ms", f'only kind = "delay" takes time; this is "{kind}"')
    if "delay_ms" not in fault and kind == "delay":
        message = "is missing; write delay_ms = ... (how many milliseconds longer it takes)"
        yield Mistake(f"{where}.delay_ms", message)


def _whole(outline: Outline) -> Iterator[Mistake]:
    """Find a file that does nothing, or exceeds the limits."""
    steps = [one.step for phase in outline.phases for one in phase.steps]
    quiet = [phase.raw.get("restart") or phase.raw.get("node") for phase in outline.phases]
    if quiet and not steps and all(quiet):
        yield Mistake("phase", "no phase has a step; add [[phase.do]] with a call")
    total = sum(_calls(phase, outline) for phase in outline.phases)
    if total > OPERATIONS_MAX:
        most = f"at most {OPERATIONS_MAX:_} are run; ask for fewer users, times or repeats"
        yield Mistake("phase", f"asks for {total:_} calls in all; {most}")


def _calls(phase: PhasePlace, outline: Outline) -> int:
    """Count a phase's calls."""
    steps = [one.step for one in phase.steps if one.step is not None]
    draw = phase.raw.get("draw")
    if isinstance(draw, int):
        return draw * len({user for step in steps for user in outline.people(step)})
    return sum(outline.calls(step) for step in steps)


def _one_step(one: StepPlace, step: Step, outline: Outline) -> Iterator[Mistake]:
    yield from _start(one.where, step)
    yield from _cancel(one.where, step, outline=outline)
    yield from _expect(f"{one.where}.expect", step.expect)
    for keys, text in _texts(step.arguments):
        where = place((one.where, *keys)).replace(f'"{one.where}"', one.where)
        if text.startswith("$"):
            yield from _reference(text, where, one=one, outline=outline)
        elif "{user}" in text and step.user is None:
            yield Mistake(where, "holds {user}, but the step has no user; give it one")


def _start(where: str, step: Step) -> Iterator[Mistake]:
    start = step.start
    if start is None or start.after is not None:
        return
    named = "when" in start.model_fields_set
    yield from _without_after(f"{where}.start", named=named, delay_ms=start.delay_ms)


def _without_after(where: str, *, named: bool, delay_ms: Any) -> Iterator[Mistake]:
    if named:
        message = 'says which moment of another step to wait for; add after = "..." with its id'
        yield Mistake(f"{where}.when", message)
    elif not delay_ms:
        yield Mistake(where, "says nothing; give after, delay_ms, or both")


def _cancel_when(one: StepPlace) -> Iterator[Mistake]:
    cancel = one.raw.get("cancel")
    if isinstance(cancel, dict) and ("at" in cancel) == ("after_ms" in cancel):
        found = "both" if "at" in cancel else "neither"
        message = f"must give exactly one of at and after_ms, has {found}"
        yield Mistake(f"{one.where}.cancel", message)


def _cancel(where: str, step: Step, *, outline: Outline) -> Iterator[Mistake]:
    cancel = step.cancel
    if cancel is None:
        return
    copies = len(outline.people(step)) * step.times
    if isinstance(cancel.copies, int) and outline.users is not None and cancel.copies > copies:
        message = f'asks for {cancel.copies} of {copies} copies; write "all" to cancel every copy'
        yield Mistake(f"{where}.cancel.copies", message)


def _expect(where: str, expect: str) -> Iterator[Mistake]:
    if expect in WORDS:
        return
    if expect in CANCELLED:
        yield Mistake(where, f'must be "cancelled" for a cancelled call, got "{expect}"')
    elif expect in TOO_WIDE:
        message = f'"{expect}" tells no errors apart; name a class of the service, or write "any"'
        yield Mistake(where, message)
    elif (close := resembling(expect, WORDS)) is not None:
        yield Mistake(
            where,
            f'must be success, any, cancelled or an error\'s class, got "{expect}";'
            f' did you mean "{close}"?',
        )


def _reference(text: str, where: str, *, one: StepPlace, outline: Outline) -> Iterator[Mistake]:
    """Find a ``$step.path`` whose result does not exist yet when the step is called."""
    if not REFERENCE.fullmatch(text):
        message = f'text with a $ first stands for a result: write "$step.path", got "{text}"'
        yield Mistake(where, message)
        return
    name, _, path = text[1:].partition(".")
    other = outline.steps.get(name)
    if other is None:
        hint = hinted(name, outline.steps, instead="known here")
        yield Mistake(where, f'no step is named "{name}"; {hint}')
        return
    if "*" in path.split("."):
        message = f'must lead to one value, got "{text}"; write the number of the item for *'
        yield Mistake(where, message)
    early = _too_early(other, one, phases=outline.phases)
    if early is not None:
        yield Mistake(where, early)
        return
    told_never = never_succeeds(other)
    if told_never is None and other.step is not None and other.step.expect == "any":
        told_never = f'"{name}" expects any end, so it may have no result'
    if told_never is not None:
        yield Mistake(where, f"{told_never}; name another step")
    yield from _other_people(other, one, outline=outline, where=where)


def _too_early(other: StepPlace, one: StepPlace, *, phases: tuple[PhasePlace, ...]) -> str | None:
    name = other.name or ""
    if other.phase < one.phase:
        return None
    if other.name == one.name:
        return "names this step itself, which has no result yet"
    if other.phase > one.phase:
        return f'"{name}" runs in a later phase; move it, or this step, so that it comes first'
    phase = next(phase for phase in phases if one in phase.steps)
    if one.name is not None and ends_first(phase, name, before=one.name):
        return None
    return (
        f'"{name}" runs together with this step; put this step into a later phase, or write'
        f' start = {{ after = "{name}", when = "ends" }}'
    )


def _other_people(
    other: StepPlace, one: StepPlace, *, outline: Outline, where: str
) -> Iterator[Mistake]:
    """Find a reference for a user for whom the other step is not called."""
    if other.step is None or one.step is None or outline.users is None:
        return
    theirs = set(outline.people(other.step))
    lacking = [who for who in outline.people(one.step) if who not in theirs]
    if lacking:
        message = (
            f'"{other.name}" is not called for "{lacking[0]}";'
            " a step sees its own user's results only"
        )
        if lacking[0] is None:
            message = f'"{other.name}" is called for users, and this step has none; give it a user'
        yield Mistake(where, message)


def _texts(value: Any, *keys: str | int) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield all texts of a step's arguments, with their places."""
    path = keys or ("with",)
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, *path, key)
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, *path, number)
