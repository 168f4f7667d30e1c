"""The verdict on a history: each part is judged by a shortcut or a search."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from harness.consistency.distinct_writes import longest, ordered
from harness.consistency.model import Model
from harness.consistency.search import Found, search
from harness.errors import BadInput
from harness.results.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from harness.consistency.call import Call
    from harness.consistency.model import Access

__all__ = ["BUDGET", "Linearizability", "check"]

# Steps of a search: about a second. A history that can be decided nearly always takes a small
# multiple of its length.
BUDGET = 200_000

STATES_SHOWN_MAX = 5
CALLS_SHOWN_MAX = 3
PASSED = Found(verdict=Verdict.PASSED, order=(), blocked=None, states=(), steps=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linearizability:
    """Whether some order of the calls, each at a moment between its begin and end, fits the model.

    UNKNOWN means that the budget was spent first. Unless PASSED, ``partition`` is the part of the
    object concerned, ``order`` the longest order that fits, ``call`` the call that had to come next
    and fits nowhere (if UNKNOWN: did not fit yet), and ``states`` those in which such orders end.
    ``steps`` counts the steps of the searches, and ``message`` is the verdict in words.
    """

    verdict: Verdict
    message: str
    steps: int = 0
    partition: Hashable = None
    order: tuple[Call, ...] = ()
    call: Call | None = None
    states: tuple[Hashable, ...] = ()


def check(history: Sequence[Call], model: Model, *, budget: int = BUDGET) -> Linearizability:
    """Judge a history, in any order, by a model.

    ``budget`` bounds the steps of all searches together, and so time and memory. It counts steps
    and not seconds, so a history has the same verdict everywhere.

    Raises:
        BadInput: The budget is below 1, a call is not one of the model's, or a value has no hash.
    """
    if budget < 1:
        raise BadInput(f"budget: must be at least 1 step, got {budget}")
    mistake = model.mistake(history)
    if mistake is not None:
        raise BadInput(f"history: {mistake}")
    try:
        return _check(sorted(history, key=attrgetter("begin")), model, budget)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        raise BadInput(
            f"history: arguments, results and states must have a hash ({error}); give text"
        ) from error


def _check(calls: list[Call], model: Model, budget: int) -> Linearizability:
    parts = _parts(calls, model)
    # Half of the budget is divided equally, the rest goes to parts that need more.
    share = budget if len(parts) < 2 else max(budget // (2 * len(parts)), 1)
    open_parts: list[tuple[Hashable, Found]] = []
    steps = 0
    for key, part in parts.items():
        found = _judged(part, model, share)
        steps += found.steps
        if found.verdict is Verdict.FAILED:
            return _not_passed(found, key, model, steps=steps)
        if found.verdict is Verdict.UNKNOWN:
            open_parts.append((key, found))
    undecided: list[tuple[Hashable, Found]] = []
    for number, (key, found) in enumerate(open_parts):
        more = (budget - steps) // (len(open_parts) - number)
        if more > share:
            found = search(parts[key], model, budget=more)  # noqa: PLW2901 - the same, further
            steps += found.steps
        if found.verdict is Verdict.FAILED:
            return _not_passed(found, key, model, steps=steps)
        if found.verdict is Verdict.UNKNOWN:
            undecided.append((key, found))
    if undecided:
        key, found = undecided[0]
        return _not_passed(found, key, model, steps=steps)
    message = f"an order of {len(calls)} calls fits"
    return Linearizability(verdict=Verdict.PASSED, message=message, steps=steps)


def _parts(calls: list[Call], model: Model) -> dict[Hashable, list[Call]]:
    """Divide calls by part, each in the order of its calls."""
    if type(model).partition is Model.partition:
        return {None: calls}
    parts: dict[Hashable, list[Call]] = {}
    partition = model.partition
    for call in calls:
        key = partition(call)
        if key in parts:
            parts[key].append(call)
        else:
            parts[key] = [call]
    return parts


def _judged(calls: list[Call], model: Model, budget: int) -> Found:
    """Judge a part by sorting, if every value is written once, or else by a search."""
    access = model.access
    accesses = [access(one) for one in calls]
    if None not in accesses:
        plain = cast("list[Access]", accesses)
        order = ordered(calls, plain, model.init())
        if order is False:
            fits, misfit = longest(calls, plain, model.init())
            return Found(
                verdict=Verdict.FAILED,
                order=tuple(fits),
                blocked=misfit,
                states=(_state_after(fits, model),),
                steps=0,
            )
        if order is not None:
            return PASSED
    return search(calls, model, budget=budget, accesses=accesses)


def _state_after(order: Sequence[Call], model: Model) -> Hashable:
    state = model.init()
    for call in order:
        access = model.access(call)
        if access is not None and access[0]:
            state = access[1]
    return state


def _not_passed(found: Found, key: Hashable, model: Model, *, steps: int) -> Linearizability:
    return Linearizability(
        verdict=found.verdict,
        message=_described(found, key, model, steps=steps),
        steps=steps,
        partition=key,
        order=found.order,
        call=found.blocked,
        states=found.states,
    )


def _described(found: Found, key: Hashable, model: Model, *, steps: int) -> str:
    """Describe the call that did not fit, the calls before it, and the state after them."""
    where = "" if key is None else f"{key!r}: "
    states = [model.described(one) for one in found.states[:STATES_SHOWN_MAX]]
    if len(found.states) > STATES_SHOWN_MAX:
        states.append(f"{len(found.states) - STATES_SHOWN_MAX} other states")
    last = "; ".join(map(str, found.order[-CALLS_SHOWN_MAX:]))
    before = f"the {len(found.order)} calls before fit, the last of them {last}" if last else ""
    after = (
        f"after {before}, {' or '.join(states)}" if before else f"at first {' or '.join(states)}"
    )
    if found.verdict is Verdict.UNKNOWN:
        return f"{where}not decided in {steps} steps, which came as far as {found.blocked}; {after}"
    return f"{where}{found.blocked} fits nowhere: {after}"
