"""Values as TOML writes them, whole; what TOML cannot write is told apart."""

from __future__ import annotations

import json
import math
import re
from datetime import date, datetime, time
from typing import Any

__all__ = ["can_be_written", "written"]

BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
NUMBER_BITS_MAX = 63
DEPTH_MAX = 8


def can_be_written(value: Any, *, depth: int = DEPTH_MAX) -> bool:
    """Return True if ``written`` can write it, and reading that gives the same value and type."""
    if type(value) is dict:
        return bool(depth) and all(
            type(key) is str and _is_text(key) and can_be_written(one, depth=depth - 1)
            for key, one in value.items()
        )
    if type(value) is list:
        return bool(depth) and all(can_be_written(one, depth=depth - 1) for one in value)
    if type(value) is str:
        return _is_text(value)
    if type(value) is int:
        return value.bit_length() <= NUMBER_BITS_MAX
    if type(value) is float:
        return math.isfinite(value)
    return type(value) in {bool, datetime, date, time}


def written(value: Any) -> str:
    """Write a value that can be written, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON's text is TOML's, but for one control character; what nobody sees is escaped too.
        return re.sub(r"[^\x20-\x7e]", _seen, json.dumps(value, ensure_ascii=False))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_key(key)} = {written(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return repr(value)


def _seen(found: re.Match[str]) -> str:
    letter = found.group()
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else written(name)


def _is_text(value: str) -> bool:
    return not re.search("[\ud800-\udfff]", value)
