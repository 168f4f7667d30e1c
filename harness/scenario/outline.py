"""The outline of a scenario file: its steps and their places, whatever else is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from harness.scenario.model import Step
from harness.scenario.users import EVERYONE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Outline", "PhasePlace", "StepPlace", "calls_each", "outline_of"]


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlace:
    """A step of the file; ``step`` is None if its keys are wrong."""

    where: str
    phase: int
    name: str | None
    raw: dict[str, Any]
    step: Step | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlace:
    """A phase of the file with its steps."""

    where: str
    name: str | None
    raw: dict[str, Any]
    steps: tuple[StepPlace, ...]


@dataclass(frozen=True, kw_only=True)
class Outline:
    """What is known of a file; ``users`` is None if they are wrong."""

    users: tuple[str, ...] | None
    phases: tuple[PhasePlace, ...]
    faults: tuple[tuple[int, dict[str, Any]], ...]

    @cached_property
    def steps(self) -> dict[str, StepPlace]:
        """The steps by name; of equal names, the first."""
        every = [step for phase in self.phases for step in phase.steps]
        return _first_of_each((one.name, one) for one in every)

    @cached_property
    def phase_by_name(self) -> dict[str, PhasePlace]:
        """The phases by name; of equal names, the first."""
        return _first_of_each((one.name, one) for one in self.phases)

    def people(self, step: Step) -> tuple[str | None, ...]:
        """List the users for whom a step is called; None stands for no user."""
        if step.user is None:
            return (None,)
        if step.user == EVERYONE:
            return self.users or ()
        return tuple(step.user) if isinstance(step.user, list) else (step.user,)

    def calls(self, step: Step) -> int:
        """Count a step's calls."""
        return len(self.people(step)) * calls_each(step)


def calls_each(step: Step) -> int:
    """Count a step's calls for each of its users."""
    return step.times * (step.repeat.times if step.repeat else 1)


def outline_of(data: dict[str, Any], users: list[str] | None) -> Outline:
    """Outline the parts of a file's data that have the right form."""
    return Outline(
        users=None if users is None else tuple(users),
        phases=tuple(_phase(raw, number) for number, raw in _numbered_tables(data.get("phase"))),
        faults=tuple(_numbered_tables(data.get("fault"))),
    )


def _first_of_each(named: Iterable[tuple[str | None, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for name, one in named:
        if name is not None:
            found.setdefault(name, one)
    return found


def _phase(raw: dict[str, Any], number: int) -> PhasePlace:
    where = f"phase[{number}]"
    name = raw.get("name")
    return PhasePlace(
        where=where,
        name=name if isinstance(name, str) else None,
        raw=raw,
        steps=tuple(
            StepPlace(
                where=f"{where}.do[{position}]",
                phase=number,
                name=_name(step),
                raw=step,
                step=_step(step),
            )
            for position, step in _numbered_tables(raw.get("do"))
        ),
    )


def _step(raw: dict[str, Any]) -> Step | None:
    try:
        return Step.model_validate(raw)
    except ValidationError:
        return None


def _name(raw: dict[str, Any]) -> str | None:
    name = raw.get("id", raw.get("call"))
    return name if isinstance(name, str) else None


def _numbered_tables(value: Any) -> list[tuple[int, dict[str, Any]]]:
    if not isinstance(value, list):
        return []
    return [(number, one) for number, one in enumerate(value) if isinstance(one, dict)]
