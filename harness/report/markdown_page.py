"""A page of GitHub Markdown of limited size, with cells and fences in which any text is safe."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.results.verdict import Verdict
from harness.results.wording import count, one_line, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MARKS", "SIZE_BYTES_MAX", "MarkdownPage", "cell", "fenced"]

MARKS = {Verdict.FAILED: "❌ failed", Verdict.UNKNOWN: "❔ unknown", Verdict.PASSED: "✅ passed"}
# A step summary over 1,024 KiB is refused whole, not cut; other steps' text may share the file.
SIZE_BYTES_MAX = 1_000 * 1_024
_CELL_LENGTH_MAX = 300
_TAIL_BYTES = 4_096  # bytes kept free for the note on what was left out


class MarkdownPage:
    """Lines up to a size in bytes, with a tail that says what did not fit."""

    def __init__(self, *, size_bytes_max: int) -> None:
        self._lines: list[str] = []
        self._left_out: list[str] = []
        self._room = size_bytes_max - _TAIL_BYTES

    def block(self, lines: list[str]) -> bool:
        """Add lines if they fit; return whether they did."""
        size = sum(len(line.encode("utf-8")) + 1 for line in lines)
        if size > self._room:
            return False
        self._room -= size
        self._lines += lines
        return True

    def rows(self, head: list[str], rows: Iterable[str], *, noun: str) -> None:
        """Add a head and as many rows as fit; ``noun`` names a row in the note on rows left out."""
        listed = list(rows)
        if not listed:
            return
        fitted = 0
        if self.block(head):
            while fitted < len(listed) and self.block([listed[fitted]]):
                fitted += 1
            self._lines.append("")
        if fitted < len(listed):
            words = count(len(listed) - fitted, noun, plural=_plural(noun))
            self._left_out.append(f"> **Left out for size:** {words}. The JSON report has all.")

    def text(self) -> str:
        """Return the page."""
        return "\n".join([*self._lines, *self._left_out]).rstrip() + "\n"


def _plural(noun: str) -> str:
    return noun.replace("run", "runs", 1) if noun.startswith("run") else f"{noun}s"


_MARKUP = re.compile(r"([\\`*_\[\]#|~@$])")


def cell(text: str) -> str:
    """Return text escaped for a table's cell or a heading, so that it is never taken for markup."""
    plain = shortened(one_line(text), _CELL_LENGTH_MAX)
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKUP.sub(r"\\\1", plain)


def fenced(text: str) -> str:
    """Return text in a code block whose fence it cannot close."""
    plain = printable(text)
    longest = max((len(run) for run in re.findall("`+", plain)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}text\n{plain}\n{fence}"
