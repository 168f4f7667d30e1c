"""The check that a history is linearizable: each call took effect at a moment while it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field, model_validator

from harness.checks.findings import doubtful, judged, named, nothing_to_judge, some
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Names, Parameters
from harness.consistency import BUDGET, Call, Counter, Map, Model, Register, Set, check
from harness.history.ends import ended
from harness.history.value_path import PathMissing, canonical, values_at
from harness.results.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from typing import Self

    from harness.consistency import Linearizability
    from harness.history.records import History, Operation

__all__ = ["KIND", "CallOf", "Linearizable", "linearizable"]

NAME = "linearizable"

# For each model and operation, the paths into a call's arguments, in order.
NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "register": {"read": (), "write": ("value",), "cas": ("old", "value")},
    "map": {
        "read": ("key",),
        "write": ("key", "value"),
        "cas": ("key", "old", "value"),
        "delete": ("key",),
    },
    "counter": {"read": (), "add": ("value",)},
    "set": {"add": ("value",), "remove": ("value",), "contains": ("value",)},
}
OBSERVING = ("read", "contains")
STATES_SHOWN_MAX = 3


class CallOf(BaseModel):
    """The calls of the system that are an operation of the model, and where its values are."""

    model_config = Parameters.model_config

    call: str | list[str] = Field(description="the name of a call, or a list of names")
    key: str | None = Field(
        default=None, description='where the arguments have the key; "user" is the caller'
    )
    value: str | None = Field(
        default=None,
        description="where the arguments have what is written, added, removed or looked for",
    )
    old: str | None = Field(default=None, description="where the arguments have what must be there")
    result: str | None = Field(
        default=None,
        description="where the result has what was read, or whether it was done; default: the whole"
        " result of a read, and of the others none",
    )
    nothing: Names = Field(
        default_factory=list,
        description="errors by which the call says that nothing was there, or that it was not done",
    )
    no_effect: Names = Field(
        default_factory=list, description="errors after which the call has certainly done nothing"
    )

    @property
    def calls(self) -> list[str]:
        """The names of the calls."""
        return [self.call] if isinstance(self.call, str) else self.call


class Linearizable(Parameters):
    """Some order of the calls gives each, by the model, the result that it had.

    Each call takes effect between its begin and its end. A call that failed or was cancelled may
    have taken effect, may do so later, or may never, unless its error decides that.
    """

    model: Literal["register", "map", "counter", "set"] = Field(
        description="what the calls are about: one value, values by key, a sum, or members"
    )
    of: Names | None = Field(
        default=None,
        description="ids of the steps that count; default: all",
        json_schema_extra=STEP,
    )
    initial: Any = Field(default=None, description="the register's or the counter's first value")
    read: CallOf | None = Field(default=None, description="which call reads")
    write: CallOf | None = Field(default=None, description="which call writes")
    cas: CallOf | None = Field(default=None, description="which call compares and sets")
    delete: CallOf | None = Field(default=None, description="which call deletes a key")
    add: CallOf | None = Field(default=None, description="which call adds")
    remove: CallOf | None = Field(default=None, description="which call removes a member")
    contains: CallOf | None = Field(default=None, description="which call looks for a member")
    budget: int = Field(default=BUDGET, ge=1, description="steps of the search before it gives up")

    @property
    def operations(self) -> dict[str, CallOf]:
        """The operations of the model for which the scenario names calls."""
        known = dict.fromkeys(name for needs in NEEDS.values() for name in needs)
        return {name: one for name in known if (one := getattr(self, name)) is not None}

    @model_validator(mode="after")
    def _is_of_the_model(self) -> Self:
        needs = NEEDS[self.model]
        for name, one in self.operations.items():
            if name not in needs:
                raise ValueError(f"a {self.model} has no {name}; it has {', '.join(needs)}")
            for path in ("key", "value", "old"):
                if (getattr(one, path) is None) == (path in needs[name]):
                    rule = f"must give {path}" if path in needs[name] else f"takes no {path}"
                    raise ValueError(f"{name} of a {self.model} {rule}")
        if self.write is not None and self.write.result is not None:
            raise ValueError("write takes no result: what it returns is not looked at")
        if not any(
            name in OBSERVING or one.result is not None for name, one in self.operations.items()
        ):
            raise ValueError(
                f"must say by which call the {self.model} is seen: {', '.join(_seeing(needs))}"
            )
        if self.initial is not None and self.model not in ("register", "counter"):
            raise ValueError(f"a {self.model} is empty at first, so it takes no initial")
        if self.model == "counter" and not _is_number(self.initial or 0):
            raise ValueError(f"initial must be a number, got {self.initial!r}")
        return self


def linearizable(history: History, parameters: Linearizable) -> CheckResult:
    """Search for an order that fits the model; UNKNOWN without calls or if the budget ends first.

    Operations of different phases follow one another even at equal moments.
    """
    expected = f"an order of the calls that a {parameters.model} can have had"
    meaning = {
        call: (name, one) for name, one in parameters.operations.items() for call in one.calls
    }
    operations = [
        one
        for one in history.operations
        if one.call in meaning and (parameters.of is None or one.step in parameters.of)
    ]
    moments = _moments(operations)
    calls: list[Call] = []
    seen = 0
    for one in operations:
        try:
            call = _as_call(one, *meaning[one.call], parameters.model, moments)
        except _Unreadable as problem:
            message = f"{named(one)}: {problem}"
            return judged(NAME, False, expected=expected, seen=message, involved=[message])
        if call is not None:
            calls.append(call)
            seen += call.end is not None and (
                call.operation in OBSERVING or call.result is not None
            )
    if not seen:
        message = f"{len(operations)} operations, none of which shows anything"
        return nothing_to_judge(NAME, expected=expected, seen=message)
    found = check(calls, _model(parameters), budget=parameters.budget)
    if found.verdict is Verdict.PASSED:
        message = f"one of {len(calls)} calls, {seen} of which show something"
        return judged(NAME, True, expected=expected, seen=message, doubts=doubtful(operations))
    return _not_found(found, {one.number: one for one in operations}, parameters, expected)


class _Unreadable(Exception):
    """A value that the model needs is not at the path that the scenario gives."""


def _moments(operations: list[Operation]) -> dict[tuple[str, float], int]:
    """Number the moments phase by phase, so that equal moments of two phases differ."""
    phases = {
        name: number for number, name in enumerate(dict.fromkeys(o.phase for o in operations))
    }
    every = {(one.phase, one.begin_s) for one in operations}
    every |= {(one.phase, one.end_s) for one in operations if one.end_s is not None}
    ordered = sorted(every, key=lambda one: (phases[one[0]], one[1]))
    return {moment: number for number, moment in enumerate(ordered)}


def _as_call(
    operation: Operation,
    name: str,
    meaning: CallOf,
    model: str,
    moments: dict[tuple[str, float], int],
) -> Call | None:
    """Make a model's call of an operation; None if it certainly had no effect."""
    errors = {operation.error.type, *operation.error.bases} if operation.error else set()
    if errors & set(meaning.no_effect):
        return None
    end = moments[operation.phase, operation.end_s] if operation.end_s is not None else None
    result: Any = None
    if operation.succeeded:
        result = _result(operation, name, meaning, model)
    elif errors & set(meaning.nothing):
        result = None if name == "read" else False
    else:
        end = None
    return Call(
        process=operation.number,
        operation=name,
        arguments=_arguments(operation, name, meaning, model),
        begin=moments[operation.phase, operation.begin_s],
        end=end,
        result=result,
    )


def _arguments(operation: Operation, name: str, meaning: CallOf, model: str) -> tuple[Any, ...]:
    given = {"user": operation.user} | operation.arguments
    found = []
    for part in NEEDS[model][name]:
        value = _one_at(given, getattr(meaning, part), "arguments")
        if model == "counter" and not _is_number(value):
            raise _Unreadable(f"adds {value!r}, which is no number")
        found.append(value if model == "counter" else _plain(value))
    return tuple(found)


def _result(operation: Operation, name: str, meaning: CallOf, model: str) -> Any:
    if meaning.result is None and name not in OBSERVING:
        return None
    value = _one_at(operation.value, meaning.result or "", "result")
    if model == "counter":
        if not _is_number(value):
            raise _Unreadable(f"returned {value!r}, which is no number")
        return value
    if name == "read":
        return _plain(value)
    if not isinstance(value, bool):
        raise _Unreadable(f"returned {value!r}, which is neither true nor false")
    return value


def _one_at(value: Any, path: str, what: str) -> Any:
    try:
        found = values_at(value, path)
    except PathMissing as missing:
        raise _Unreadable(f"its {what}: {missing}") from missing
    return found if "*" in path.split(".") else found[0]


def _plain(value: Any) -> str | None:
    """Return a hashable form of a value, equal for equal values; None stays None."""
    return None if value is None else canonical(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seeing(needs: dict[str, tuple[str, ...]]) -> list[str]:
    return [
        name if name in OBSERVING else f"{name} with a result" for name in needs if name != "write"
    ]


def _model(parameters: Linearizable) -> Model:
    if parameters.model == "register":
        return Register(_plain(parameters.initial))
    if parameters.model == "counter":
        return Counter(parameters.initial or 0)
    return Map() if parameters.model == "map" else Set()


def _not_found(
    found: Linearizability,
    operations: dict[Any, Operation],
    parameters: Linearizable,
    expected: str,
) -> CheckResult:
    """Describe the operation that fits nowhere, the model's states, and what came before."""
    where = "" if found.partition is None else f"{found.partition}: "
    blocked = "nothing" if found.call is None else _described(found.call, operations)
    states = [_state_words(one, parameters.model) for one in found.states]
    shown = [*states[:STATES_SHOWN_MAX], *(["..."] if states[STATES_SHOWN_MAX:] else [])]
    held = (
        f"after {len(found.order)} calls that fit, the {parameters.model} has {' or '.join(shown)}"
    )
    undecided = found.verdict is Verdict.UNKNOWN
    message = (
        f"none in {found.steps} steps, of which the furthest came to {blocked}"
        if undecided
        else f"{blocked}, which fits nowhere"
    )
    return CheckResult(
        name=NAME,
        verdict=found.verdict,
        expected=expected,
        seen=f"{where}{message}; {held}",
        involved=some(_described(one, operations) for one in reversed(found.order)),
    )


def _state_words(state: Any, model: str) -> str:
    if model == "set":
        return "it" if state else "not got it"
    return "nothing" if state is None else str(state)


def _described(call: Call, operations: dict[Any, Operation]) -> str:
    operation = operations[call.process]
    given = ", ".join(map(str, call.arguments))
    if call.end is None:
        answer = f", {ended(operation)}"
    elif call.operation in OBSERVING or call.result is not None:
        answer = f" -> {'nothing' if call.result is None else call.result}"
    else:
        answer = ""
    until = "" if operation.end_s is None else f" to {operation.end_s:.3f}"
    return (
        f"{call.operation}({given}){answer} by {named(operation)}, {operation.begin_s:.3f}{until} s"
    )


KIND = CheckKind(name=NAME, parameters=Linearizable, check=linearizable)
