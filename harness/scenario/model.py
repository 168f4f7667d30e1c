"""The scenario language: who does what, what happens together, and what must hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from harness.checks.no_deadlock import NoDeadlock
from harness.checks.registry import ResolvedCheck  # noqa: TC001 - pydantic needs it at run time

if TYPE_CHECKING:
    from harness.history.records import NodeKind

__all__ = [
    "Cancel",
    "Close",
    "Fault",
    "Park",
    "Phase",
    "Repeat",
    "Scenario",
    "Start",
    "Step",
    "User",
    "UserCount",
]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
NAME_LETTERS_MAX = 80
POINT_PATTERN = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"
WORD_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]*$"
IMPORT_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*\Z")

USERS_MAX = 10_000
OPERATIONS_MAX = 100_000
DAY_MS = 86_400_000
TIMES_MAX = 1_000_000
STEPS_MAX = 1_000_000_000

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=NAME_LETTERS_MAX)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
Point = Annotated[str, StringConstraints(pattern=POINT_PATTERN, max_length=NAME_LETTERS_MAX)]
Word = Annotated[str, StringConstraints(pattern=WORD_PATTERN, max_length=NAME_LETTERS_MAX)]
Milliseconds = Annotated[float, Field(ge=0, le=DAY_MS)]


class _Table(BaseModel):
    """A table of the file: no unknown keys, no silent conversions, never changed once read."""

    # Built when it is first used: one that lies in another is built with that one only.
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )


class User(_Table):
    """Someone who acts. ``data`` is handed to the system under test as it is."""

    name: Name = Field(description="how steps and results call this user")
    data: dict[str, Any] = Field(default_factory=dict, description="anything the system reads")


class UserCount(_Table):
    """Many users at once; ``{number}`` in ``name`` and in text of ``data`` counts from 0."""

    count: int = Field(ge=1, le=USERS_MAX, description="how many")
    name: str = Field(default="user-{number}", description="must hold {number}")
    data: dict[str, Any] = Field(default_factory=dict, description="anything the system reads")

    @field_validator("name")
    @classmethod
    def _counts(cls, name: str) -> str:
        if "{number}" not in name:
            raise ValueError("must hold {number}, so that names differ")
        return name


class Start(_Table):
    """When a step begins, if not with its phase: after another step of the phase."""

    after: Name | None = Field(default=None, description="the id of another step of this phase")
    when: Literal["begins", "parks", "ends"] = Field(
        default="begins", description="which moment of that step to wait for"
    )
    delay_ms: Milliseconds = Field(default=0, description="milliseconds to wait then")


class Close(Start):
    """When the system is closed while the phase's steps are under way: after another step."""


class Park(_Table):
    """Hold this step's client at a point until other steps have ended."""

    at: Point = Field(
        description="a point such as prepare_account.before, prepare_account.inside or spawn.after"
    )
    until: Name | Annotated[list[Name], Field(min_length=1)] = Field(
        description="the id of the step whose end lets it go, or a list: it waits for all of them"
    )

    @property
    def ends_of(self) -> tuple[str, ...]:
        """The steps whose ends it waits for."""
        return (self.until,) if isinstance(self.until, str) else tuple(self.until)


class Cancel(_Table):
    """Cancel the callers of some copies of a step, at a point or after a delay."""

    at: Point | None = Field(default=None, description="a point such as spawn.before")
    after_ms: Milliseconds | None = Field(default=None, description="milliseconds after it began")
    copies: int | Literal["first", "all"] = Field(
        default="first", description='"first", "all", or how many of the copies'
    )

    @field_validator("copies")
    @classmethod
    def _at_least_one(cls, copies: int | str) -> int | str:
        if isinstance(copies, int) and copies < 1:
            raise ValueError("must be at least 1")
        return copies


class Repeat(_Table):
    """Call again, one after another, ``times`` in all, ``gap_ms`` apart."""

    times: int = Field(ge=1, le=10_000, description="calls one after another")
    gap_ms: Milliseconds = Field(default=0, description="milliseconds between two calls")


class Step(_Table):
    """A call on the system under test, by its operation's name."""

    id: Name | None = Field(default=None, description="how checks name it; default: the call")
    call: Name = Field(description="an operation of the system under test")
    user: Name | Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description='a user, a list of users, or "each"; without it: no user'
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="arguments; {user}, {number}, {copy} count"
    )
    times: int = Field(default=1, ge=1, le=10_000, description="copies for each user, together")
    repeat: Repeat | None = Field(default=None, description="each copy calls several times")
    start: Start | None = Field(default=None, description="when it begins")
    park: Park | None = Field(default=None, description="hold its client for a while")
    cancel: Cancel | None = Field(default=None, description="cancel its callers")
    expect: Word = Field(
        default="success",
        description='"success", "any", "cancelled", or the class name of the error to expect',
    )

    @property
    def name(self) -> str:
        """The id, or the call where none is given."""
        return self.id or self.call


class Phase(_Table):
    """Steps that stand together start together; phases run one after another."""

    name: Name = Field(description="how checks name the phase")
    do: list[Step] = Field(default_factory=list, description="what happens together")
    draw: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="each user makes so many calls one after another, each drawn from the steps by"
        " the run's seed; a step with times = 3 is drawn three times as often",
    )
    restart: bool = Field(
        default=False, description="close the system first and open it again on the same storage"
    )
    close: Close | None = Field(
        default=None,
        description="close the system while the steps are under way, at this moment; it opens"
        " again on the same storage when they have all ended",
    )
    node: Literal["cut", "freeze", "heal"] | None = Field(
        default=None, description="before the steps: cut the node off, freeze it, or heal it"
    )


class Fault(_Table):
    """Something that goes wrong at a point of a client or a service."""

    at: Point = Field(description="a point such as spawn.before or sync.after")
    kind: Literal["fail", "hang", "die", "delay"] = Field(
        description="raise an error, never answer, end the client without a word, or take longer"
    )
    delay_ms: Annotated[float, Field(gt=0, le=DAY_MS)] | None = Field(
        default=None, description='how many milliseconds longer, for kind = "delay"'
    )
    error: Word | None = Field(default=None, description="class name of the error to raise")
    user: Name | Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None,
        description='a user, a list of users, or "each": skip and times count for each of them;'
        " without it: anybody, counted together",
    )
    phase: Name | None = Field(default=None, description="only in this phase; default: in all")
    skip: int = Field(default=0, ge=0, le=TIMES_MAX, description="leave the first occasions alone")
    times: int = Field(default=1, ge=1, le=TIMES_MAX, description="how often it strikes")


class Scenario(_Table):
    """A claim, the users, the phases, and the checks that must hold.

    ``checks`` holds the checks for each backend: ``{"simulated": (...), "live": (...)}``.
    """

    name: str = Field(description="the file's stem")
    path: str = Field(description="the file as it was given")
    claim: Text = Field(description="what the scenario proves, in one sentence")
    system: str | None = Field(
        default=None, description='import path "package.module:attribute"; default: serve'
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="handed to the system under test as it opens"
    )
    allow: list[Literal["one_order"]] = Field(
        default_factory=list,
        description="health checks of a search that may fail: one_order, all runs took one order",
    )
    users: list[User] = Field(description="who acts")
    phase: list[Phase] = Field(min_length=1, description="what happens, in order")
    fault: list[Fault] = Field(default_factory=list, description="what goes wrong")
    steps_max: int | None = Field(
        default=None,
        ge=1,
        le=STEPS_MAX,
        description="steps after which a simulated run is ended, unknown; default: 10,000,000, and"
        " 2,000,000 in a search",
    )
    checks: dict[str, tuple[ResolvedCheck, ...]] = Field(description="what must hold")

    def within_s(self, node: NodeKind) -> float:
        """Return the seconds that an operation has on a backend, by the check ``no_deadlock``."""
        parameters = [one.parameters for one in self.checks[node.value]]
        limits: list[float] = [one.within_s for one in parameters if isinstance(one, NoDeadlock)]
        return limits[0] if limits else NoDeadlock().within_s

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the file's order."""
        return tuple(step for phase in self.phase for step in phase.do)

    @property
    def uses_node_faults(self) -> bool:
        """True if a phase cuts the node off, freezes it or heals it."""
        return any(phase.node for phase in self.phase)
