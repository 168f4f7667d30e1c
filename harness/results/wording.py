"""The words of reports for seconds, ratios, keys and clocks, and safe text from outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "clock_word",
    "count",
    "cut",
    "key_words",
    "one_line",
    "printable",
    "ratio",
    "seconds",
    "shortened",
]

# Controls (except tab and newline), lone surrogates, direction overrides, and code points that XML
# 1.0 lacks: shown as escapes, so that no message can disfigure or break a report.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]"
    "|[\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return ``text`` with every control character shown as its escape."""
    return _UNPRINTABLE.sub(lambda found: _escape(found.group()), text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return ``text`` printable and on a single line, its line breaks shown as escapes."""
    return printable(text).replace("\n", "\\n")


def shortened(text: str, length_max: int) -> str:
    """Return ``text`` in at most ``length_max`` characters, saying how many were left out."""
    if len(text) <= length_max:
        return text
    left_out = f" … [{len(text) - length_max:,} characters left out]"
    return text[:length_max] + left_out


def cut(text: str, length_max: int) -> str:
    """Return ``text`` on a line of at most ``length_max`` characters, cut with an ellipsis."""
    plain = one_line(text[: 2 * length_max])
    return plain if len(plain) <= length_max else f"{plain[: length_max - 1]}…"


def clock_word(node: str) -> str:
    """Return the word for a run's seconds: ``simulated`` or, when live, ``measured``."""
    return "simulated" if node == "simulated" else "measured"


def seconds(value: float | None) -> str:
    """Word a length of time to three digits: ``0 s``, ``12.3 ms``, ``4.41 s``, ``1,240 s``."""
    if value is None:
        return "unfinished"
    size = abs(value)
    if size < 5e-10:  # below a nanosecond counts as 0
        return "0 s"
    if size < 9.995e-4:
        return f"{_three_digits(value * 1e6)} µs"
    if size < 0.9995:
        return f"{_three_digits(value * 1e3)} ms"
    return f"{_three_digits(value)} s"


def ratio(value: float) -> str:
    """Word a speed-up: ``1.92 x``."""
    return f"{value:.2f} x"


def count(number: int, noun: str, *, plural: str | None = None) -> str:
    """Word a number of things: ``1 run``, ``12 runs``, ``3 retries``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def key_words(key: Mapping[str, str]) -> str:
    """Word a client's key: its values, in the key's order."""
    return ", ".join(str(value) for value in key.values()) or "no key"


def _three_digits(value: float) -> str:
    size = abs(value)
    if size >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
