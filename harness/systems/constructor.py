"""The constructor of a plain class: what of it the harness gives, and what settings give."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from harness.scenario.mistakes import place
from harness.scenario.words import hinted, resembling, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Constructor"]

HARNESS_GIVES = ("storage_path", "directory", "clients", "points")
ANYTHING = inspect.Parameter("settings", inspect.Parameter.VAR_KEYWORD)


class Constructor:
    """Makes a class of what it asks for by the names of its parameters.

    ``given`` are those parameters that the harness fills. All others, ``takes``, are a scenario's
    settings.
    """

    def __init__(self, service: type) -> None:
        self._service = service
        try:
            signature = inspect.signature(service)
        except ValueError:
            # Python cannot tell of some classes in C: only a call shows what they take.
            signature = inspect.Signature([ANYTHING])
        parameters = signature.parameters.values()
        self._positional = [one for one in parameters if one.kind is one.POSITIONAL_ONLY]
        self._named = {
            one.name: one
            for one in parameters
            if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        }
        self._takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
        self._python_gives = _first_names(service)
        self.given = tuple(name for name in self._named if name in HARNESS_GIVES)
        self.takes = {name: one for name, one in self._named.items() if name not in self.given}

    def mistakes(self, settings: Mapping[str, Any]) -> Iterator[str]:
        """Find settings that no parameter takes, and parameters that nobody gives."""
        name = self._service.__qualname__
        for key, value in settings.items():
            where = place(("settings", key))
            if key in self._python_gives:
                message = f"is given to {name} by Python itself, got {shown(value)}; rename it"
                yield f"{where}: {message}"
            elif key in self.given:
                message = f"is given to {name} by the harness, got {shown(value)}; leave it out"
                yield f"{where}: {message}"
            elif key not in self.takes and not self._takes_any:
                hint = hinted(key, self.takes, instead="it takes")
                yield f"{where}: {name} takes no such argument, got {shown(value)}; {hint}"
        # A misspelt name is one mistake, not two.
        wrong = (key for key in settings if key not in self.takes)
        there = {*settings, *(resembling(key, self.takes) for key in wrong)}
        for key, parameter in self.takes.items():
            if parameter.default is inspect.Parameter.empty and key not in there:
                yield (
                    f"settings.{key}: is missing, and {name} cannot be made without it;"
                    f" write settings = {{ {key} = ... }}"
                )

    def make(self, settings: Mapping[str, Any], gives: Mapping[str, Any]) -> Any:
        """Make the class of settings without mistakes, and of what the harness gives by name.

        Raises:
            Exception: Whatever the constructor raises, with a note of the settings.
        """
        by_name = {**settings, **{name: gives[name] for name in self.given}}
        by_place = [by_name.pop(one.name, one.default) for one in self._positional]
        try:
            return self._service(*by_place, **by_name)
        except Exception as error:
            if settings:
                error.add_note(f"it was made with settings = {shown(dict(settings))}")
            raise


def _first_names(service: type) -> set[str]:
    """List by what names the functions that make a class are given it, or its object."""
    makers = (type(service).__call__, service.__new__, service.__init__)  # type: ignore[misc]
    codes = [one.__code__ for one in makers if inspect.isfunction(one)]
    return {one.co_varnames[0] for one in codes if one.co_argcount and not one.co_posonlyargcount}
