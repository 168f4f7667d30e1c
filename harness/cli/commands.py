"""The commands by name, each loaded when it is asked for: a run needs nothing of a search."""

from __future__ import annotations

import gc
from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

__all__ = ["CommandGroup"]

# In the order of the help: the module in this folder, and what typer makes the command of.
_COMMANDS = {
    "init": "init:init",
    "run": "run:run",
    "list": "list:list_scenarios",
    "explore": "explore:explore",
    "replay": "replay:replay",
    "verify": "verify:verify",
    "compare": "compare:compare",
    "schema": "schema:schema",
    "node": "node:node_app",
}


class _Commands(UserDict[str, Any]):
    """Commands as typer makes them, from where they stand."""

    def __getitem__(self, name: str) -> Any:
        found = self.data[name]
        if isinstance(found, str):
            found = self.data[name] = _loaded(name, found)
        return found


class CommandGroup(TyperGroup):
    """All commands of the command line."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(_COMMANDS)


def _loaded(name: str, place: str) -> Any:
    name_of_module, _, attribute = place.partition(":")
    module = import_module(f"{__package__}.{name_of_module}")
    if not gc.isenabled():
        # What is loaded by now stays: the collector need never look at it.
        gc.freeze()
        gc.enable()
    part = getattr(module, attribute)
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(part, typer.Typer):
        alone.add_typer(part, name=name)
    else:
        # What stands below the options, where a command has more to say.
        alone.command(name, epilog=vars(module).get("EPILOG"))(part)
    return get_group(alone).commands[name]
