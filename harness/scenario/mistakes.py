"""The mistakes of a scenario file, and their words: where, rule, value, fix."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.scenario.keys import known_keys, known_kinds, meaning_of, stray_key
from harness.scenario.model import NAME_PATTERN, POINT_PATTERN, WORD_PATTERN
from harness.scenario.words import listed, resembling, shown

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Mistake", "message", "place", "values_mistakes"]

MISTAKES_MAX = 50
TOP_KEYS = ("claim", "system", "settings", "users", "steps_max", "fault", "phase", "check")
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
PLACE_PARTS = re.compile(r'\[(\d+)\]|"((?:[^"\\]|\\.)*)"|([^.\[]+)')

WANTED = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list [...]",
    "tuple": "a list [...]",
    "dict": "a table { ... }",
    "model": "a table { ... }",
    "model_attributes": "a table { kind = ... }",
}
WANTED_AT = {
    "phase": "tables [[phase]]",
    "phase.do": "tables [[phase.do]]",
    "phase.do.user": 'a name, a list of names, or "each"',
    "phase.do.cancel.copies": '"first", "all", or a whole number from 1',
    "phase.do.park.until": "the id of a step, or a list of ids",
    "fault.user": 'a name, a list of names, or "each"',
    "fault": "tables [[fault]]",
    "of": "the id of a step, or a list of ids",
    "exactly": 'a whole number from 1, or "any"',
}
PATTERNS = {
    NAME_PATTERN: 'letters, digits, "_", "-" and ".", with a letter or digit first',
    POINT_PATTERN: 'a point such as "spawn.before" or "sync.after"',
    WORD_PATTERN: 'one word, such as "success" or "SpawnFailed"',
}
BOUNDS = {
    "greater_than": ("gt", "over"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "under"),
    "less_than_equal": ("le", "at most"),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake: the key's path in the file, and what is wrong with it."""

    where: str
    what: str


def message(path: Path, mistakes: list[Mistake]) -> str:
    """Return the message that lists a file's mistakes, each once, in the order of their keys."""
    unique = sorted(dict.fromkeys(mistakes), key=_order)
    count = f"{len(unique)} mistake{'s' * (len(unique) != 1)}"
    lines = [f"  {one.where}: {one.what}" for one in unique[:MISTAKES_MAX]]
    if len(unique) > MISTAKES_MAX:
        lines.append(f"  and {len(unique) - MISTAKES_MAX} more; mend these first")
    return "\n".join([f"{path}: {count}", *lines])


def place(parts: tuple[int | str, ...]) -> str:
    """Write a key's path, such as ``phase[1].do[0].park.until``."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if BARE_KEY.fullmatch(part) else shown(part)
            text += f".{key}" if text else key
    return text


def values_mistakes(error: ValidationError, data: Any, model: type[BaseModel]) -> list[Mistake]:
    """Turn what pydantic found in ``data`` into mistakes in the words of scenario files.

    Where a value may be of several kinds, pydantic complains once for each kind; only the complaint
    about the value's kind is kept.
    """
    found: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_place(detail, data)[0], []).append(detail)
    mistakes = []
    for keys, details in found.items():
        if any(other[: len(keys)] == keys for other in found if len(other) > len(keys)):
            continue
        telling = [one for one in details if not _is_other_kind(one)] or details
        names = _place(telling[0], data)[1]
        if telling[0]["type"].startswith("union_tag"):
            what = _wrong_table_kind(telling[0]["input"], known_kinds(model, names))
        else:
            what = _what(telling[0], keys, names, model)
        mistakes.append(Mistake(place(keys), what))
    return mistakes


def _is_other_kind(detail: ErrorDetails) -> bool:
    """Return True for a complaint about the kind of a value, not about the value itself."""
    if detail["type"] == "literal_error":
        return not isinstance(detail["input"], str)
    return detail["type"].endswith("_type")


def _place(detail: ErrorDetails, data: Any) -> tuple[tuple[int | str, ...], tuple[str, ...]]:
    """Return the keys of a location in the data, without pydantic's marks for kinds of values.

    Besides, the names that lead there in a model: keys, and a table's kind where it may have some.
    """
    kind = detail["type"]
    keys: list[int | str] = []
    names: list[str] = []
    at = data
    for number, part in enumerate(detail["loc"]):
        last = number == len(detail["loc"]) - 1
        if isinstance(at, dict) and isinstance(part, str):
            if part in at or (last and kind == "missing"):
                keys.append(part)
                names.append(part)
                at = at.get(part)
            elif at.get("kind") == part:
                names.append(part)
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            keys.append(part)
            at = at[part]
    if kind.startswith("union_tag"):
        keys.append("kind")
    return tuple(keys), tuple(names)


def _what(
    detail: ErrorDetails,
    keys: tuple[int | str, ...],
    names: tuple[str, ...],
    model: type[BaseModel],
) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "missing":
        line = f"[[{place(keys)}]]" if names[-1] in ("phase", "do") else f"{names[-1]} = ..."
        return f"is missing; write {line} ({meaning_of(model, names)})"
    if kind == "extra_forbidden":
        return _unknown_key(model, names)
    if kind.endswith("_type"):
        return _wrong_kind(kind.removesuffix("_type"), value, keys)
    if kind == "value_error":
        got = "" if isinstance(value, dict | list) else f", got {shown(value)}"
        return f"{context['error']}{got}"
    if kind == "literal_error":
        close = resembling(str(value), _choices(context))
        rule = WANTED_AT.get(".".join(names)) or _rule(kind, context)
        hint = f'; did you mean "{close}"?' if close else ""
        return f"must be {rule}, got {shown(value)}{hint}"
    return f"must be {_rule(kind, context)}, got {shown(value)}"


def _wrong_table_kind(value: Any, known: list[str]) -> str:
    """Say which kind a table should have; ``value`` is the table."""
    rule = _one_of(known)
    if "kind" not in value:
        return f"is missing; write kind = {rule}"
    close = resembling(str(value["kind"]), known)
    hint = f'; did you mean "{close}"?' if close else ""
    return f"must be {rule}, got {shown(value['kind'])}{hint}"


def _choices(context: dict[str, Any]) -> list[str]:
    return re.findall(r"'([^']*)'", context["expected"])


def _one_of(choices: list[str]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if quoted[1:] else quoted[0]


def _rule(kind: str, context: dict[str, Any]) -> str:
    """Word the rule that a value of the right kind breaks."""
    if kind in BOUNDS:
        key, words = BOUNDS[kind]
        bound = context[key]
        return f"{words} {shown(int(bound) if bound == int(bound) else bound)}"
    if kind == "string_pattern_mismatch":
        return PATTERNS[context["pattern"]]
    if kind == "literal_error":
        return _one_of(_choices(context))
    return {
        "finite_number": "a finite number",
        "string_too_short": "text with something in it",
        "string_too_long": f"at most {context.get('max_length')} letters long",
        "too_short": f"a list of {context.get('min_length')} or more",
    }.get(kind, kind.replace("_", " "))


def _wrong_kind(kind: str, value: Any, keys: tuple[int | str, ...]) -> str:
    where = ".".join(key for key in keys if isinstance(key, str))
    in_list = bool(keys) and isinstance(keys[-1], int)
    wanted = WANTED.get(kind, kind.replace("_", " "))
    if not in_list:
        wanted = WANTED_AT.get(where, wanted)
    hint = _fix(wanted, value, "" if in_list else where)
    return f"must be {wanted}, got {shown(value)}{hint}"


def _fix(wanted: str, value: Any, where: str) -> str:
    """Say how to turn the value into the wanted kind, where that is known."""
    key = where.rpartition(".")[2]
    if wanted.startswith("tables [["):
        return f"; write {wanted.removeprefix('tables ')}, with double brackets"
    text_wanted = "text" in wanted or "name" in wanted
    if isinstance(value, list) and wanted.startswith("a table") and where:
        return f"; it stands once: write [{where}] with single brackets, or {key} = {{ ... }}"
    if wanted.startswith("a table { kind") and isinstance(value, int | float):
        return f'; write {key} = {{ kind = "constant", value = {shown(value)} }}'
    if isinstance(value, dict) and text_wanted and key:
        return f'; a key with a dot makes a table: write {key} = "..."'
    if isinstance(value, str):
        number = re.fullmatch(r"[+-]?[0-9._]+", value) and "number" in wanted
        truth = value in ("true", "false") and wanted.startswith("true")
        return "; write it without quotes" if number or truth else ""
    plain = not isinstance(value, dict | list)
    return "; write it in quotes" if plain and text_wanted else ""


def _unknown_key(model: type[BaseModel], names: tuple[str, ...]) -> str:
    """Suggest the known key for an unknown one, or the place where it belongs."""
    known = known_keys(model, names[:-1])
    close = resembling(names[-1], known)
    if close is not None:
        return f'no such key; did you mean "{close}"?'
    elsewhere = stray_key(model, names)
    if elsewhere is not None:
        return f"no such key here; {elsewhere}"
    return f"no such key; {'known here: ' + listed(known) if known else 'none is known here'}"


def _order(mistake: Mistake) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key: the order of tables, then number, then name."""
    parts = PLACE_PARTS.findall(mistake.where)
    first = (parts[0][1] or parts[0][2]) if parts else ""
    rank = TOP_KEYS.index(first) if first in TOP_KEYS else -1
    return (
        (rank, 0, ""),
        *(
            (0, int(number), "") if number else (1, 0, quoted or bare)
            for number, quoted, bare in parts
        ),
    )
