"""What a class can be asked to do, as steps of a scenario with example arguments."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from harness.drafts.examples import USER, example_of
from harness.errors import BadInput
from harness.scenario.model import NAME_LETTERS_MAX, NAME_PATTERN
from harness.systems.loading import load_system, reading
from harness.systems.plain_service import PlainService, public_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["USERS", "Draft", "DraftStep", "LeftOut", "Part", "draft_of"]

OPENING = re.compile(r"a?open|start|connect|set_?up|init|initiali[sz]e")
CLOSING = re.compile(r"a?close|stop|disconnect|tear_?down|shut_?down|terminate")
USERS = ("alice", "bob", "carol")
# The parameter that the harness fills by itself.
GIVEN_USER = "user"


class Part(IntEnum):
    """When in a run an operation is called."""

    OPEN = 0
    TOGETHER = 1
    CLOSE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A method that no step calls, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftStep:
    """A call of one method; ``guesses`` say by argument what is not known of its value."""

    call: str
    part: Part
    takes_user: bool
    arguments: dict[str, Any] = field(default_factory=dict)
    guesses: dict[str, str] = field(default_factory=dict)

    @property
    def users(self) -> tuple[str, ...] | tuple[None]:
        """Who calls it: every user, or nobody in particular for what opens or closes all."""
        whose = self.takes_user or USER in self.arguments.values()
        return USERS if whose or self.part is Part.TOGETHER else (None,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What stands in a scenario for the class ``system``, before anything has been tried.

    ``guesses`` are those of ``settings``. The steps stand in the order in which they are run, and
    of their methods.
    """

    system: str
    name: str
    settings: dict[str, Any]
    guesses: dict[str, str]
    steps: tuple[DraftStep, ...]
    left_out: tuple[LeftOut, ...]
    conditions: tuple[str, ...]
    has_audit: bool

    def steps_of(self, part: Part) -> tuple[DraftStep, ...]:
        """List the steps of one part of a run."""
        return tuple(one for one in self.steps if one.part is part)


def draft_of(path: str) -> Draft:
    """Read a class, by its import path, for what it can be asked to do.

    Raises:
        BadInput: It is no class that can be made and has public async methods.
    """
    system = load_system(path)
    if not isinstance(system, PlainService):
        raise BadInput(
            f'system "{path}": is an adapter, whose operations have no signatures to read; name a'
            " class with async methods, or write the file by hand"
        )
    with reading(path):
        return _draft_of(path, system)


def _draft_of(path: str, system: PlainService) -> Draft:
    service = system.service
    if getattr(service, "_is_protocol", False) or inspect.isabstract(service):
        lacking = ", ".join(sorted(getattr(service, "__abstractmethods__", ())))
        raise BadInput(
            f'system "{path}": is abstract{f" (it leaves open: {lacking})" if lacking else ""}, so'
            " it cannot be made; name a class that is not"
        )
    settings, guesses = _arguments(
        system.takes.values(), _names(inspect.getattr_static(service, "__init__")), has_caller=False
    )
    steps, left_out = _steps(system)
    return Draft(
        system=path,
        name=service.__qualname__,
        settings=settings,
        guesses=guesses,
        steps=steps,
        left_out=left_out,
        conditions=system.conditions,
        has_audit=hasattr(service, "audit"),
    )


def _steps(system: PlainService) -> tuple[tuple[DraftStep, ...], tuple[LeftOut, ...]]:
    """Make a step of each method that a scenario can call.

    Raises:
        BadInput: There is none.
    """
    service = system.service
    order = [name for one in reversed(service.__mro__) for name in vars(one)]
    steps: list[DraftStep] = []
    left_out: list[LeftOut] = []
    for name in sorted(system.signatures, key=order.index):
        step = _step(service, name, system.signatures[name])
        if isinstance(step, DraftStep):
            steps.append(step)
        else:
            left_out.append(step)
    if not steps:
        reasons = "; ".join(f"{one.name}: {one.why}" for one in left_out)
        raise BadInput(
            f"system {service.__qualname__}: has no method that a scenario can call; {reasons}"
        )
    if hasattr(service, "__aenter__") and any(one.part is Part.TOGETHER for one in steps):
        why = 'the harness opens and closes the class by "async with"'
        left_out += [
            LeftOut(name=one.call, why=why) for one in steps if one.part is not Part.TOGETHER
        ]
        steps = [one for one in steps if one.part is Part.TOGETHER]
    for name in public_names(service, inspect.isasyncgenfunction):
        why = "an async generator; give the class a method that returns what it yields"
        left_out.append(LeftOut(name=name, why=why))
    return tuple(sorted(steps, key=lambda one: one.part)), tuple(left_out)


def _step(service: type, name: str, signature: inspect.Signature) -> DraftStep | LeftOut:
    if not re.match(NAME_PATTERN, name) or len(name) > NAME_LETTERS_MAX:
        rule = f"ASCII, at most {NAME_LETTERS_MAX} letters"
        return LeftOut(name=name, why=f"a scenario cannot call it by such a name ({rule})")
    parameters = signature.parameters.values()
    for one in parameters:
        if one.kind is one.POSITIONAL_ONLY and one.default is one.empty:
            why = f"it takes {one.name} by its place only, and a scenario gives arguments by name"
            return LeftOut(name=name, why=why)
    arguments, guesses = _arguments(
        [one for one in parameters if one.kind is not one.POSITIONAL_ONLY],
        _names(getattr(service, name)),
    )
    takes_user = GIVEN_USER in signature.parameters
    if takes_user:
        arguments.pop(GIVEN_USER, None)
    return DraftStep(
        call=name, part=_part(name), takes_user=takes_user, arguments=arguments, guesses=guesses
    )


def _part(name: str) -> Part:
    if OPENING.fullmatch(name):
        return Part.OPEN
    return Part.CLOSE if CLOSING.fullmatch(name) else Part.TOGETHER


def _names(function: Any) -> dict[str, Any]:
    """Return the names that a function's annotations may use: those of its module."""
    found: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
    return found


def _arguments(
    parameters: Iterable[inspect.Parameter], names: Mapping[str, Any], *, has_caller: bool = True
) -> tuple[dict[str, Any], dict[str, str]]:
    """Make an example for each parameter that has a name, and say which are guesses."""
    arguments: dict[str, Any] = {}
    guesses: dict[str, str] = {}
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            continue
        example = example_of(one, names, has_caller=has_caller)
        if example is not None:
            arguments[one.name] = example.value
            if example.guess:
                guesses[one.name] = example.guess
    return arguments, guesses
