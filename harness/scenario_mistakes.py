"""Own the words in which mistakes of a scenario file are told: where, rule, value, fix."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Mistake", "place", "told", "values_mistakes"]

VALUE_MAX = 80
KINDS = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list [...]",
    "dict": "a table",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: the key's path in the file, and what is wrong with it."""

    where: str
    what: str


def told(path: Path, mistakes: list[Mistake]) -> str:
    """Tell all mistakes of a file, in the order of their keys."""
    unique = list(dict.fromkeys(mistakes))
    count = f"{len(unique)} mistake{'s' * (len(unique) != 1)}"
    return "\n".join([f"{path}: {count}", *(f"  {one.where}: {one.what}" for one in unique)])


def place(parts: tuple[int | str, ...]) -> str:
    """Write a key's path as one reads it: ``phase[1].do[0].park.until``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not _union_branch(part):
            text += f".{part}" if text else part
    return text


def values_mistakes(error: ValidationError, data: Any) -> list[Mistake]:
    """Turn what pydantic found into mistakes, one for each place."""
    found: dict[str, Mistake] = {}
    for detail in error.errors(include_url=False):
        where = place(detail["loc"])
        if where not in found:
            found[where] = Mistake(where, _what(detail, error, data))
    return list(found.values())


def _union_branch(part: str) -> bool:
    """Tell pydantic's marks for the branches of a union from keys of the file."""
    return part.startswith(("constrained-", "list[", "literal[", "function-")) or part in (
        "str",
        "int",
        "float",
    )


def _what(detail: ErrorDetails, error: ValidationError, data: Any) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    value = shown(detail["input"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"no such key{_like(str(detail['loc'][-1]), error, detail, data)}"
    if kind.endswith("_type"):
        wanted = KINDS.get(kind.removesuffix("_type"), kind.removesuffix("_type").replace("_", " "))
        return f"must be {wanted}, got {value}{_fix(kind, detail['input'])}"
    if kind == "value_error":
        return f"{context['error']}, got {value}"
    message = detail["msg"]
    for prefix in ("Input should be ", "String should ", "List should ", "Value should "):
        message = message.removeprefix(prefix)
    if kind == "string_pattern_mismatch":
        message = f"match {context['pattern']}"
    return f"must be {message}, got {value}" if not message.startswith(
        ("have", "match")
    ) else f"must {message}, got {value}"


def _fix(kind: str, value: Any) -> str:
    if kind in ("int_type", "float_type") and isinstance(value, str):
        return "; write it without quotes"
    if kind == "string_type" and isinstance(value, int | float):
        return "; write it in quotes"
    if kind == "bool_type" and value in ("true", "false"):
        return "; write it without quotes"
    return ""


def _like(name: str, error: ValidationError, detail: ErrorDetails, data: Any) -> str:
    """Suggest a key that exists where this one stands."""
    del error, data
    known = KNOWN_KEYS.get(_depth(detail["loc"]), ())
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known here: {', '.join(known)}" if known else ""


def _depth(location: tuple[int | str, ...]) -> str:
    names = [part for part in location[:-1] if isinstance(part, str) and not _union_branch(part)]
    return ".".join(names)


KNOWN_KEYS: dict[str, tuple[str, ...]] = {
    "": ("claim", "system", "settings", "users", "phase", "fault", "check"),
    "phase": ("name", "do", "restart", "node"),
    "phase.do": ("id", "call", "user", "with", "times", "repeat", "start", "park", "cancel", "expect"),
    "phase.do.start": ("after", "when", "delay_ms"),
    "phase.do.park": ("at", "until"),
    "phase.do.cancel": ("at", "after_ms", "copies"),
    "phase.do.repeat": ("times", "gap_ms"),
    "fault": ("at", "kind", "error", "user", "phase", "skip", "times"),
}


def shown(value: Any) -> str:
    """Show a value as the file would have it, shortened."""
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    if isinstance(value, bool):
        text = str(value).lower()
    return text if len(text) <= VALUE_MAX else text[: VALUE_MAX - 1] + "…"
