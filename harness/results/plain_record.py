"""The plain form of result values: dataclass to JSON-able data and back, checked by type.

Texts of a program under test may hold anything, lone surrogates among it. Pydantic's strict reading
of JSON refuses those, and its other reading takes "3" for 3: so neither can stand here.
"""

from __future__ import annotations

import dataclasses
import math
import types
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from harness.errors import BadInput, HarnessBug
from harness.history import records as history
from harness.results import schedule, verdict
from harness.results.health import varied

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["from_plain", "to_plain"]

_FIX = "was it written by another version, or cut off?"
T = TypeVar("T", bound="DataclassInstance")


def to_plain(value: Any) -> Any:
    """Turn dataclasses into dicts, tuples into lists and enums into their values, all the way down.

    Raises:
        HarnessBug: A value has no plain form, or a number is not finite.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: to_plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [to_plain(one) for one in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: to_plain(one) for key, one in value.items()}
    raise HarnessBug(f"a result must hold plain values only, got {value!r}")


def from_plain(kind: type[T], data: Any, *, where: str) -> T:
    """Make a dataclass from its ``to_plain`` form; fields with a default may be missing.

    Raises:
        BadInput: A field is missing, unknown or of another type; the message begins with ``where``.
    """
    made: T = _value(kind, data, where)
    return made


def _value(kind: Any, data: Any, where: str) -> Any:
    made: Any
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        made = data
    elif origin in {Union, types.UnionType}:
        made = None if data is None else _value(_without_none(arguments), data, where)
    elif origin is tuple:
        made = _tuple(arguments, data, where)
    elif origin is dict:
        _expect(isinstance(data, dict), "an object", data, where)
        made = {key: _value(arguments[1], one, f"{where}.{key}") for key, one in data.items()}
    elif dataclasses.is_dataclass(kind):
        made = _record(kind, data, where)
    elif issubclass(kind, Enum):
        values = [one.value for one in kind]
        _expect(data in values, f"one of {', '.join(map(str, values))}", data, where)
        made = kind(data)
    else:
        made = _simple(kind, data, where)
    return made


def _without_none(arguments: tuple[Any, ...]) -> Any:
    (kind,) = (one for one in arguments if one is not type(None))
    return kind


def _record(kind: Any, data: Any, where: str) -> Any:
    _expect(isinstance(data, dict), "an object", data, where)
    types_of = _types(kind)
    unknown = sorted(data.keys() - types_of.keys())
    _expect(not unknown, f"without {', '.join(unknown)}", data, where)
    needed = [
        one.name
        for one in dataclasses.fields(kind)
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in needed if name not in data]
    _expect(not missing, f"with {', '.join(missing)}", data, where)
    return kind(**{name: _value(types_of[name], data[name], f"{where}.{name}") for name in data})


def _tuple(arguments: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    _expect(isinstance(data, list), "a list", data, where)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        arguments = arguments[:1] * len(data)
    _expect(len(data) == len(arguments), f"a list of {len(arguments)}", data, where)
    pairs = zip(arguments, data, strict=True)
    return tuple(_value(kind, one, f"{where}[{at}]") for at, (kind, one) in enumerate(pairs))


def _simple(kind: type, data: Any, where: str) -> Any:
    whole = isinstance(data, int) and not isinstance(data, bool)
    if kind is float and whole:
        return float(data)
    fits = whole if kind is int else isinstance(data, kind)
    _expect(fits, f"of type {kind.__name__}", data, where)
    return data


@cache
def _types(kind: type) -> dict[str, Any]:
    # Types imported only for the type checker are looked up by name among the result values.
    return get_type_hints(kind, localns=_names())


@cache
def _names() -> dict[str, Any]:
    modules = (history, schedule, varied, verdict)
    return {name: vars(module)[name] for module in modules for name in module.__all__}


def _expect(holds: bool, rule: str, data: Any, where: str) -> None:
    if not holds:
        got = repr(data)
        raise BadInput(f"{where} must be {rule}, got {got[:80]}; {_FIX}")
