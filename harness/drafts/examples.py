"""Example values for parameters: of their names, their annotations and their defaults."""

from __future__ import annotations

import re
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from inspect import Parameter
from typing import (
    Annotated,
    Any,
    Literal,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from harness.drafts.toml_values import can_be_written, written

__all__ = ["USER", "Example", "example_of"]

USER = "{user}"
# Parameters that hold who calls, whatever a class calls its users.
USER_NAME = re.compile(
    r"(user|owner|customer|client|member|person|player|buyer|seller|caller|sender|tenant|login|who)"
    r"(_?(id|name|key))?"
)
# In a scenario these stand for something else: a text of a class's own must not hold them.
TEMPLATE = re.compile(r"\A\$|\{(user|number|copy|turn)\}")
LETTERS_MAX = 80
DEPTH_MAX = 5
# Any day will do, as long as it is always the same.
MOMENT = datetime(2030, 1, 1, 12, tzinfo=UTC)
SIMPLE = {
    bool: True,
    int: 1,
    float: 1.0,
    datetime: MOMENT,
    date: MOMENT.date(),
    time: MOMENT.time(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A value for a parameter; ``guess`` says what is not known of it, or is empty."""

    value: Any
    guess: str = ""


class _Unknown(Exception):
    """There is no example for an annotation; the message names it."""


def example_of(
    parameter: Parameter, names: Mapping[str, Any], *, has_caller: bool = True
) -> Example | None:
    """Make an example for a parameter, whose annotation may use ``names`` of its module.

    ``has_caller``: a user calls, and the parameter may ask for the user's name.

    Returns:
        None if the parameter is better left to its default.
    """
    annotation = _resolved(parameter.annotation, names)
    has_default = parameter.default is not Parameter.empty
    is_user = has_caller and USER_NAME.fullmatch(parameter.name.casefold())
    if is_user and _takes_text(annotation, parameter):
        return Example(value=USER)
    if has_default:
        return Example(value=parameter.default) if _is_plain(parameter.default) else None
    try:
        return Example(value=_value(annotation, parameter.name, DEPTH_MAX))
    except _Unknown as unknown:
        return Example(value=parameter.name, guess=str(unknown))


def _is_plain(value: Any) -> bool:
    """Return True for a default that is short in TOML, and means in a scenario what it says."""
    return (
        can_be_written(value)
        and len(written(value)) <= LETTERS_MAX
        and not any(map(TEMPLATE.search, _texts(value)))
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _takes_text(annotation: Any, parameter: Parameter) -> bool:
    if annotation is Any:
        return parameter.default in (Parameter.empty, None) or isinstance(parameter.default, str)
    try:
        return isinstance(_value(annotation, parameter.name, DEPTH_MAX), str)
    except _Unknown:
        return False


def _resolved(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Evaluate an annotation; Any if there is none, or nobody can."""
    if annotation is Parameter.empty:
        return Any
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return get_type_hints(holder, dict(names))["it"]
    except Exception:  # noqa: BLE001 - a name that only type checkers see, or any other expression
        return Any


def _value(annotation: Any, name: str, depth: int) -> Any:
    """Make an example of an annotation.

    Raises:
        _Unknown: TOML has none, or nothing is known of it.
    """
    if annotation is Any or not depth:
        raise _Unknown("its type is not known")
    if annotation is str:
        return _text(name)
    if annotation in SIMPLE:
        return SIMPLE[annotation]
    inner = _inner(annotation)
    if inner is not None:
        return _value(inner, name, depth - 1)
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is Literal:
        return next(filter(can_be_written, arguments), name)
    return _composed(origin, arguments, name, depth - 1)


def _inner(annotation: Any) -> Any:
    """Return what stands behind another name for a type, or None."""
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[0]
    if isinstance(annotation, NewType):
        return annotation.__supertype__
    if isinstance(annotation, TypeVar):
        return annotation.__bound__ or next(iter(annotation.__constraints__), Any)
    return getattr(annotation, "__value__", None)


def _composed(origin: Any, arguments: tuple[Any, ...], name: str, depth: int) -> Any:
    """Make an example of what consists of others: members, alternatives, fields or items."""
    if isinstance(origin, type) and issubclass(origin, Enum):
        # Only these are equal to their values, which TOML can write.
        values = [one.value for one in origin if isinstance(one, str | int)]
        if values:
            return values[0]
    if origin in (Union, types.UnionType):
        return _first(arguments, name, depth)
    if is_typeddict(origin):
        try:
            hints = get_type_hints(origin)
        except Exception as error:  # a name that only type checkers see, or any other expression
            raise _Unknown(f"the fields of {_named(origin)} cannot be told: {error}") from error
        required = [key for key in hints if key in origin.__required_keys__]
        return {key: _value(hints[key], key, depth) for key in required}
    return _container(origin, arguments, name, depth)


def _first(annotations: Iterable[Any], name: str, depth: int) -> Any:
    for one in annotations:
        try:
            return _value(one, name, depth)
        except _Unknown as unknown:
            why = unknown
    raise why


def _container(origin: Any, arguments: tuple[Any, ...], name: str, depth: int) -> Any:
    if not isinstance(origin, type) or issubclass(origin, bytes | bytearray | memoryview):
        raise _Unknown(f"TOML has no {_named(origin)}")
    if issubclass(origin, Mapping) and issubclass(dict, origin):
        return {"key": _value(arguments[1], name, depth)} if arguments else {"key": "value"}
    if issubclass(origin, list | tuple) or (
        issubclass(origin, Collection | Iterable) and issubclass(list, origin)
    ):
        return [_value(arguments[0], name, depth)] if arguments else [name]
    raise _Unknown(f"TOML has no {_named(origin)}")


def _named(kind: Any) -> str:
    return getattr(kind, "__qualname__", None) or str(kind)


def _text(name: str) -> str:
    if "email" in name.casefold():
        return "someone@example.org"
    return "https://example.org/" if re.search(r"ur[li]\b", name.casefold()) else name
