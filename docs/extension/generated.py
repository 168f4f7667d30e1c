"""The parts of a page that are made from the code, where it has ``<!-- generated: NAME -->``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import profiles
import public_names
import scenario_language
import ways_in

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["MAKERS", "filled", "setup"]

MARK = re.compile(r"^<!-- generated: (\S+) -->$", re.MULTILINE)
MAKERS = {
    "keys": scenario_language.keys,
    "checks": scenario_language.checks,
    "profile-keys": profiles.keys,
    "profile-names": profiles.named,
    "command-line": ways_in.command_line,
    "pytest-fixtures": ways_in.pytest_fixtures,
    "pytest-options": ways_in.pytest_options,
    "harness.results": public_names.handed,
    **{module: lambda module=module: public_names.of(module) for module in public_names.MODULES},
}


def filled(text: str) -> str:
    """Put what is generated in the place of its marks.

    Raises:
        KeyError: A mark names nothing that can be generated.
    """
    return MARK.sub(lambda mark: MAKERS[mark[1]](), text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have each page filled as it is read."""
    app.connect("source-read", lambda _app, _page, texts: texts.append(filled(texts.pop())))
    return {"parallel_read_safe": True}
