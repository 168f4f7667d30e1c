"""The commands by name, each loaded when it is asked for: a run needs nothing of a search.

Those that load code under test take --one-process: else ``harness.__main__`` runs them in a child.
"""

from __future__ import annotations

import gc
from collections import UserDict
from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperGroup
from typer.main import get_group

from harness.errors import CouldNotRun, Terminated
from harness.processes.apart import doing

if TYPE_CHECKING:
    from collections.abc import Callable

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
# Those that load no code under test, or do so in processes of their own anyway.
_WITHOUT_CODE = {"compare", "schema", "node"}


OneProcess = Annotated[
    bool,
    typer.Option(
        "--one-process",
        help="Run the code under test in this process, not in a child whose end is told.",
    ),
]


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
        command = part if name in _WITHOUT_CODE else _ending_by_itself(part)
        alone.command(name, epilog=vars(module).get("EPILOG"))(command)
    return get_group(alone).commands[name]


def _ending_by_itself(command: Callable[..., None]) -> Callable[..., None]:
    """Make a command that nothing ends but itself: code under test may raise what would."""

    def ending_by_itself(
        context: typer.Context, one_process: bool = False, **arguments: Any
    ) -> None:
        # ``harness.__main__`` has read it, before anything was loaded.
        del one_process
        doing(context.command_path)
        try:
            command(**arguments)
        except typer.Exit as end:
            # Not by sys.exit(), which the code under test may have replaced.
            raise SystemExit(end.exit_code) from end
        except Terminated:
            raise
        except SystemExit as end:
            raise CouldNotRun(
                f"the code under test ended the interpreter: {end!r}; nothing was judged"
            ) from end

    types = get_type_hints(command, include_extras=True)
    own = {"context": typer.Context, "one_process": OneProcess}
    told = signature(command)
    first = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD)
    last = Parameter("one_process", Parameter.POSITIONAL_OR_KEYWORD, default=False)
    parameters = [
        one.replace(annotation={**types, **own}[one.name])
        for one in (first, *told.parameters.values(), last)
    ]
    ending_by_itself.__signature__ = told.replace(parameters=parameters)  # type: ignore[attr-defined]
    ending_by_itself.__annotations__ = {**types, **own}
    ending_by_itself.__doc__ = command.__doc__
    return ending_by_itself
