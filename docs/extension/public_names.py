"""The reference of public modules: an entry for each name in their ``__all__``."""

from __future__ import annotations

import inspect
from importlib import import_module

__all__ = ["MODULES", "handed", "of"]

# What users import, and the port that their adapters implement.
MODULES = ("harness", "harness.consistency", "harness.systems.port")
# What is handed to users, who do not import it.
HANDED = ("harness.results.explorations.FoundFailure", "harness.results.verdict.CheckResult")
RESULTS = "harness.results."


def of(module: str) -> str:
    """Write a section for each public name of a module: functions, then classes, then errors."""
    found = import_module(module)
    things = {name: getattr(found, name) for name in found.__all__}
    return "\n\n".join(
        _entry(f"{module}.{name}", things[name], heading="##")
        for name in sorted(things, key=lambda name: (_rank(things[name]), name))
    )


def handed() -> str:
    """Write a section for each thing that results hold."""
    things = [(name, *name.rpartition(".")[::2]) for name in HANDED]
    return "\n\n".join(
        _entry(name, getattr(import_module(module), last), heading="###")
        for name, module, last in things
    )


def _rank(thing: object) -> int:
    if not isinstance(thing, type):
        return 0 if inspect.isfunction(thing) else 3
    return 2 if issubclass(thing, BaseException) else 1


def _entry(name: str, thing: object, *, heading: str) -> str:
    """Write a heading, and the directive of autodoc for a thing."""
    directive = f".. {_kind(thing)}:: {name}"
    if _kind(thing) == "py:data":
        directive += f"\n   :value: {thing!r}"
    elif _kind(thing) == "autoclass":
        # How a result or a port is made says nothing to users, who are handed the one and write
        # the other. The fields of a record are told by its docstring, and listed with their types.
        directive += "\n   :members:\n   :undoc-members:"
        if thing.__module__.startswith(RESULTS) or getattr(thing, "_is_protocol", False):
            directive = directive.replace("\n", "()\n", 1)
    return f"{heading} `{name.rpartition('.')[2]}`\n\n```{{eval-rst}}\n{directive}\n```"


def _kind(thing: object) -> str:
    if inspect.isfunction(thing):
        return "autofunction"
    if not isinstance(thing, type):
        return "py:data"
    return "autoexception" if issubclass(thing, BaseException) else "autoclass"
