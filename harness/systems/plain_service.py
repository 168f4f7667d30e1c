"""The adapter that puts any class with async methods under the harness, untouched."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, Terminated
from harness.scenario.words import no_operation
from harness.systems.almost_operations import almost_operations
from harness.systems.constructor import Constructor
from harness.systems.plain_points import PlainPoints, point_mistakes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence

    from harness.scenario.model import Scenario, Step, User
    from harness.systems.port import Environment

__all__ = ["PlainService", "public_names"]

# Called by the harness itself, at the end.
NO_OPERATIONS = ("audit",)


class PlainService:
    """A class as a system under test.

    Its public async methods are the operations. A method with a parameter ``user`` is given the
    user's name. The class is made of the scenario's settings, and of those of ``storage_path`` and
    ``directory`` (an empty folder), ``clients`` (a client factory) and ``points`` that it asks for:
    ``await points("seat.taken")`` is a point of its own, and it lists their names in an attribute
    ``points`` of the class. If it is an async context manager it is entered and left; a method
    ``audit`` is asked at the end. A class attribute ``conditions`` names methods, not async and
    without arguments, for the checks ``always``, ``eventually`` and ``sometimes``.
    """

    def __init__(self, service: type) -> None:
        self._service = service
        self._signatures = {
            name: _signature(service, name)
            for name in public_names(service, inspect.iscoroutinefunction)
            if name not in NO_OPERATIONS
        }
        if not self._signatures:
            nearly = [f"{name} {why}" for name, why in almost_operations(service)]
            seen = f" ({'; '.join(nearly)})" if nearly else ""
            msg = (
                f"system {service.__qualname__}: has no public async method, so there is nothing to"
                f" call{seen}; name a class that has, or write an adapter"
            )
            raise BadInput(msg)
        self.conditions = _conditions(service)
        self._constructor = Constructor(service)

    @property
    def needs_node(self) -> bool:
        """Whether the class asks for clients of a node."""
        return "clients" in self._constructor.given

    @property
    def operations(self) -> tuple[str, ...]:
        """The public async methods."""
        return tuple(sorted(self._signatures))

    @property
    def service(self) -> type:
        """The class itself."""
        return self._service

    @property
    def takes(self) -> Mapping[str, inspect.Parameter]:
        """The constructor's parameters by name, but for those that the harness gives."""
        return self._constructor.takes

    @property
    def signatures(self) -> Mapping[str, inspect.Signature]:
        """The operations' signatures by name, without the ``self`` of a method."""
        return self._signatures

    def mistakes(self, scenario: Scenario) -> list[str]:
        """Find settings and calls that nothing takes, and points that the class does not have."""
        calls = [
            f"phase[{number}].do[{position}]{problem}"
            for number, phase in enumerate(scenario.phase)
            for position, step in enumerate(phase.do)
            if (problem := self._problem(step)) is not None
        ]
        settings = self._constructor.mistakes(scenario.settings)
        checks = self._without_audit(scenario)
        return [*settings, *calls, *checks, *point_mistakes(self._service, scenario)]

    @asynccontextmanager
    async def open(self, environment: Environment) -> AsyncIterator[_PlainSession]:
        """Make the service and enter it if it is an async context manager."""
        gives = {
            "storage_path": environment.directory,
            "directory": environment.directory,
            "clients": environment.clients,
            "points": PlainPoints(self._service, environment.interception),
        }
        service = self._constructor.make(environment.settings, gives)
        if hasattr(service, "__aenter__"):
            async with service as entered:
                service = service if entered is None else entered
                yield _PlainSession(service, self._signatures, self.conditions)
        else:
            yield _PlainSession(service, self._signatures, self.conditions)

    def _without_audit(self, scenario: Scenario) -> list[str]:
        """Find a check that asks for the audit of a class that has none."""
        asked = any(
            one.name == "end_state" and one.asked
            for checks in scenario.checks.values()
            for one in checks
        )
        if not asked or hasattr(self._service, "audit"):
            return []
        name = self._service.__qualname__
        return [
            f"check.end_state: {name} has no method audit, which it asks; add one, or leave it out"
        ]

    def _problem(self, step: Step) -> str | None:
        if step.call not in self._signatures:
            why = dict(almost_operations(self._service)).get(step.call)
            if why is not None:
                return f".call: {step.call} {why}"
            return f".call: {no_operation(step.call, self.operations)}"
        signature = self._signatures[step.call]
        arguments = dict(step.arguments)
        if "user" in signature.parameters and step.user is not None:
            arguments["user"] = ""
        try:
            signature.bind(**arguments)
        except TypeError as error:
            return f".with: {step.call}{signature}: {error}"
        taken = _first_name(self._service, step.call)
        if taken is not None and taken in arguments and taken not in signature.parameters:
            return f".with.{taken}: is the object itself in {step.call}; give it another name"
        return None


class _PlainSession:
    """An open service whose methods are called by name."""

    def __init__(
        self, service: Any, signatures: dict[str, inspect.Signature], conditions: tuple[str, ...]
    ) -> None:
        self._service = service
        self._signatures = signatures
        self._conditions = conditions

    async def call(self, operation: str, user: User | None, arguments: dict[str, Any]) -> Any:
        """Call the method of this name."""
        given = dict(arguments)
        if user is not None and "user" in self._signatures[operation].parameters:
            given["user"] = user.name
        return await getattr(self._service, operation)(**given)

    @property
    def probe(self) -> Callable[[User | None], Awaitable[None]] | None:
        """The service's own ``probe``, given the user's name; None if it has none."""
        method: Callable[[str | None], Awaitable[None]] | None
        method = getattr(self._service, "probe", None)
        if method is None:
            return None
        return lambda user: method(None if user is None else user.name)

    def conditions(self) -> dict[str, Callable[[], object]]:
        """Give the methods that the service names as conditions."""
        return {name: getattr(self._service, name) for name in self._conditions}

    async def audit(self) -> Sequence[str] | None:
        """Ask the service's own ``audit``, if it has one."""
        method: Callable[[], Any] | None = getattr(self._service, "audit", None)
        if method is None:
            return None
        found = method()
        found = await found if inspect.isawaitable(found) else found
        if isinstance(found, str) or not isinstance(found, Iterable):
            name = type(self._service).__qualname__
            msg = f"{name}.audit: must return a list of the problems it found, got {found!r}"
            raise TypeError(msg)
        return [str(one) for one in found]


def public_names(service: type, kind: Callable[[Any], bool]) -> Iterator[str]:
    """List the public attributes of one kind; what raises when it is asked for is of none."""
    # Not dir(): a class may answer that itself, and with anything.
    for name in sorted(type.__dir__(service)):
        if not name.startswith("_"):
            try:
                is_one = kind(getattr(service, name))
            except Terminated:
                raise
            except (Exception, SystemExit):  # noqa: BLE001 - a descriptor runs code of its own
                is_one = False
            if is_one:
                yield name


def _signature(service: type, name: str) -> inspect.Signature:
    """Return the signature with which a method is called on an object of a class.

    Raises:
        BadInput: It cannot be told.
    """
    method = inspect.getattr_static(service, name)
    try:
        if isinstance(method, staticmethod | classmethod):
            return inspect.signature(getattr(service, name))
        signature = inspect.signature(method)
    except (TypeError, ValueError) as error:
        where = f"system {service.__qualname__}: {name}"
        raise BadInput(f"{where}: its signature cannot be told: {error}; mend it") from error
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _first_name(service: type, name: str) -> str | None:
    """Return the name by which a method knows its object, if an argument could be given by it."""
    method = inspect.getattr_static(service, name)
    if isinstance(method, staticmethod | classmethod):
        return None
    first = next(iter(inspect.signature(method).parameters.values()), None)
    return None if first is None or first.kind is not first.POSITIONAL_OR_KEYWORD else first.name


def _conditions(service: type) -> tuple[str, ...]:
    """List the conditions that a class names; an attribute of another kind means something else."""
    named = getattr(service, "conditions", ())
    if not isinstance(named, tuple | list) or not all(isinstance(one, str) for one in named):
        return ()
    for name in named:
        method = getattr(service, name, None)
        where = f"system {service.__qualname__}: conditions: {name}"
        if not callable(method) or inspect.iscoroutinefunction(method):
            msg = f"{where} must be a method that is not async, got {method!r}; mend its name"
            raise BadInput(msg)
        try:
            inspect.signature(method).bind(None)
        except TypeError as error:
            msg = f"{where} must take no arguments: {error}"
            raise BadInput(msg) from error
    return tuple(named)
