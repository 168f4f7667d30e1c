"""The template environment of the HTML pages: escaping, and the words that templates use."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.history.ends import against_expected, raised_as_expected
from harness.history.wait_words import around
from harness.report.figures.timeline import OPERATIONS_MAX
from harness.results.wording import (
    clock_word,
    count,
    key_words,
    one_line,
    printable,
    ratio,
    seconds,
    shortened,
)

__all__ = ["environment"]


@cache
def environment() -> Environment:
    """Return the environment; every text that a template prints is escaped and made printable."""
    made = Environment(
        loader=PackageLoader("harness.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.tests.update(raised_as_expected=raised_as_expected)
    made.filters.update(
        against_expected=against_expected,
        around=around,
        breakable=_breakable,
        clock=clock_word,
        count=count,
        key_words=key_words,
        one_line=one_line,
        ratio=ratio,
        seconds=seconds,
        shortened=shortened,
    )
    made.globals["operations_max"] = OPERATIONS_MAX
    return made


def _shown(value: Any) -> Any:
    # Every text that a template prints passes here, so none can carry control characters.
    # Markup (a macro's result) is a str as well, but its parts have passed already.
    return printable(value) if type(value) is str else value


def _breakable(name: str) -> Markup:
    """Let a long name break after its underscores."""
    return escape(printable(name)).replace("_", Markup("_<wbr>"))
