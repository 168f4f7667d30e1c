"""The words of messages for values and names of a scenario file."""

from __future__ import annotations

import difflib
import json
from datetime import date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["hinted", "listed", "no_operation", "resembling", "shown"]

VALUE_LETTERS_MAX = 80
LISTED_MAX = 20
COMPARED_MAX = 200
LENGTHS_APART_MAX = 5
NUMBER_BITS_MAX = 256
SHOWN_DEPTH_MAX = 3


def listed(names: Iterable[str]) -> str:
    """List names, up to a limit, and say how many more there are."""
    every = list(names)
    more = len(every) - LISTED_MAX
    message = ", ".join(every[:LISTED_MAX])
    return f"{message} and {more} more" if more > 0 else message or "none"


def resembling(name: str, known: Iterable[str]) -> str | None:
    """Find the known name most similar to an unknown one."""
    alike = (one for one in known if abs(len(one) - len(name)) <= LENGTHS_APART_MAX)
    names = list(islice(alike, COMPARED_MAX))
    folded = {one.casefold(): one for one in reversed(names)}
    close = difflib.get_close_matches(name.casefold()[:VALUE_LETTERS_MAX], folded, n=1)
    return folded[close[0]] if close else None


def hinted(name: str, known: Collection[str], *, instead: str) -> str:
    """Suggest the known name that was meant, or list all of them after the word ``instead``."""
    close = resembling(name, known)
    return f"{instead}: {listed(known)}" if close is None else f'did you mean "{close}"?'


def no_operation(call: str, operations: Collection[str]) -> str:
    """Say that a system does not have an operation, and which one was meant."""
    return f'the system has no operation "{call}"; {hinted(call, operations, instead="known")}'


def shown(value: Any) -> str:
    """Show a value as TOML writes it, shortened."""
    text = _toml(value, SHOWN_DEPTH_MAX)
    return text if len(text) <= VALUE_LETTERS_MAX else text[: VALUE_LETTERS_MAX - 1] + "…"


def _toml(value: Any, depth: int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return _number(value)
    if isinstance(value, str):
        return json.dumps(value[: VALUE_LETTERS_MAX + 1], ensure_ascii=False)
    if isinstance(value, datetime | date | time):
        return f"the {'date' if isinstance(value, date) else 'time'} {value.isoformat()}"
    return _container(value, depth) if isinstance(value, dict | list) else str(value)


def _number(value: int) -> str:
    if value.bit_length() > NUMBER_BITS_MAX:
        return f"a number of {value.bit_length()} bits"
    return f"{value:_}" if abs(value) >= 10_000 else str(value)


def _container(value: dict[str, Any] | list[Any], depth: int) -> str:
    """Show a table or a list on a single line, cut off below a depth."""
    if isinstance(value, list):
        items = [_toml(one, depth - 1) for one in value[:LISTED_MAX]] if depth else ["..."]
        return f"[{', '.join(items)}]"
    if not value:
        return "{}"
    pairs = list(value.items())[:LISTED_MAX] if depth else []
    items = [f"{key} = {_toml(one, depth - 1)}" for key, one in pairs]
    return f"{{ {', '.join(items) or '...'} }}"
