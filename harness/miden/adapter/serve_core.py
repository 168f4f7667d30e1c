"""The adapter that puts the serve core under the harness, unmodified."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import serve
import serve.errors
from harness.errors import BadInput
from harness.miden.adapter.recorded_clients import RecordedClientFactory
from harness.miden.adapter.serve_audit import ServeAudit
from harness.miden.adapter.serve_conditions import CONDITIONS, ServeConditions
from harness.miden.adapter.serve_points import ServePoints, point_mistake
from harness.miden.adapter.storage_operations import StorageOperations
from harness.miden.adapter.tenants import TenantWatch
from harness.scenario.words import hinted, no_operation, shown
from serve import Deadlines, KeyScheme, Network, Serve, ServeError
from serve.domain.address import client_directory, owner_identifier
from serve.domain.orders import parse_order
from serve.points import hooked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from harness.history.recorder import Recorder
    from harness.scenario.model import Scenario, Step, User
    from harness.systems.port import Environment

__all__ = ["ServeCore", "ServeSession", "secret_of", "serve_core"]

SECRET_BYTES = 32
DEADLINES = tuple(field.name for field in fields(Deadlines))
# Whole numbers: how many commands may wait in a client, how many threads the store has, and how
# many clients may be open at once.
SIZES = {
    "queue_length_max": (1, 1_000_000),
    "store_workers": (1, 1_000),
    "clients_max": (1, 1_000_000),
}
# What Serve takes by the same names.
OPTIONS = ("store_workers", "clients_max", "idle_s")
SETTINGS = (*DEADLINES, "idle_s", "key_scheme", *SIZES)


class ServeCore:
    """The serve core as a system under test; ``service`` may be a subclass broken on purpose.

    A user's secret is ``data.secret_byte`` 32 times, or else the SHA-256 of the name. Settings: the
    deadlines of ``serve.Deadlines`` in seconds, ``key_scheme`` ("falcon" or "ecdsa"),
    ``queue_length_max`` of each client, ``store_workers``, ``clients_max``, and ``idle_s``.
    """

    needs_node = True
    conditions = CONDITIONS

    def __init__(self, service: type[Serve] = Serve) -> None:
        self._service = service
        self._signatures = {
            name: inspect.signature(member)
            for name, member in inspect.getmembers(ServeSession, inspect.iscoroutinefunction)
            if not name.startswith("_") and name not in ("call", "audit")
        }

    @property
    def operations(self) -> tuple[str, ...]:
        """The names of the operations."""
        return tuple(sorted(self._signatures))

    def mistakes(self, scenario: Scenario) -> list[str]:
        """Find calls, arguments, points, errors and settings that the serve core lacks."""
        found = [*_setting_mistakes(scenario.settings), *_user_mistakes(scenario.users)]
        for number, phase in enumerate(scenario.phase):
            for position, step in enumerate(phase.do):
                where = f"phase[{number}].do[{position}]"
                found += [f"{where}.{problem}" for problem in self._step_mistakes(step)]
        for number, fault in enumerate(scenario.fault):
            problem = point_mistake(fault.at, where=f"fault[{number}].at", what=fault.kind)
            found += [] if problem is None else [problem]
            if fault.error is not None and _error_class(fault.error) is None:
                found.append(f'fault[{number}].error: serve has no error "{fault.error}"')
        return found

    @asynccontextmanager
    async def open(self, environment: Environment) -> AsyncIterator[ServeSession]:
        """Open a Serve on the run's directory, its clients recorded."""
        environment.interception.error_named = _error_named
        users = {owner_identifier(secret_of(user)): user.name for user in environment.users}
        clients = RecordedClientFactory(
            environment.clients,
            recorder=environment.recorder,
            interception=environment.interception,
            user_of=lambda directory: users.get(directory.name.partition("_")[2], "-"),
        )
        points = ServePoints(
            environment.interception,
            clients=clients,
            user_of=lambda owner: users.get(owner_identifier(owner.secret), "-"),
        )
        settings = environment.settings
        if "queue_length_max" in settings:
            environment.clients.queue_length_max = settings["queue_length_max"]
        options = {name: settings[name] for name in OPTIONS if name in settings}
        tenants = TenantWatch(
            points,
            secrets=[secret_of(user) for user in environment.users],
            user_of=lambda owner: users.get(owner_identifier(owner.secret), "-"),
        )
        audit = ServeAudit(environment, clients, tenants)
        with hooked(tenants):
            async with self._service(
                environment.directory,
                clients,
                deadlines=_deadlines(settings),
                key_scheme=KeyScheme(settings.get("key_scheme", KeyScheme.FALCON)),
                **options,
            ) as opened:
                try:
                    yield ServeSession(
                        opened, audit, environment.recorder, clients_max=settings.get("clients_max")
                    )
                finally:
                    clients.let_go()
        await audit.closed()

    def _step_mistakes(self, step: Step) -> list[str]:
        found = []
        if step.call not in self._signatures:
            return [f"call: {no_operation(step.call, self.operations)}"]
        signature = self._signatures[step.call]
        takes_user = "user" in signature.parameters
        if takes_user and step.user is None:
            found.append(f"user: is missing; {step.call} is called for a user")
        try:
            signature.bind(None, **({"user": None} if takes_user else {}), **step.arguments)
        except TypeError as error:
            arguments = [name for name in signature.parameters if name not in ("self", "user")]
            known = ", ".join(arguments) or "none"
            found.append(f"with: {error}; arguments of {step.call}: {known}")
        for table in (step.park, step.cancel):
            if table is not None and table.at is not None:
                name = "park" if table is step.park else "cancel"
                problem = point_mistake(table.at, where=f"{name}.at", what=name)
                found += [] if problem is None else [problem]
        if step.expect not in ("success", "any", "cancelled") and not _error_class(step.expect):
            found.append(f'expect: serve has no error "{step.expect}"')
        return found


class ServeSession:
    """An open Serve, with its operations by name and plain arguments."""

    def __init__(
        self,
        opened: Serve,
        audit: ServeAudit,
        recorder: Recorder,
        *,
        clients_max: int | None = None,
    ) -> None:
        self._serve = opened
        self.auditor = audit
        self._conditions = ServeConditions(opened, recorder, clients_max=clients_max)
        self._storage = StorageOperations(opened, audit.clients)

    async def call(self, operation: str, user: User | None, arguments: dict[str, Any]) -> Any:
        """Carry out an operation."""
        method = getattr(self, operation)
        if "user" in inspect.signature(method).parameters:
            return await method(user, **arguments)
        return await method(**arguments)

    def conditions(self) -> dict[str, Callable[[], object]]:
        """Return the conditions of clients and their slots, which must always hold."""
        return self._conditions.by_name()

    async def audit(self) -> Sequence[str]:
        """Let what is under way end, then return the audit's findings."""
        return await self.auditor.of(self._serve)

    async def probe(self, user: User | None) -> None:
        """Do for a user what must work in a world without faults."""
        if user is None:
            await self._serve.list_desks()
            return
        secret = secret_of(user)
        await self._serve.get_client(secret, Network.LOCALNET)
        await self._serve.client_sync(secret, Network.LOCALNET)
        await self._serve.list_accounts(secret)

    async def get_client(self, user: User, network: str) -> Any:
        """Return the user's client; equal numbers in two results are the same client."""
        return await self._serve.get_client(secret_of(user), Network.parse(network))

    async def list_client_accounts(self, user: User, network: str) -> list[str]:
        """List the accounts in the store of the user's client, by id."""
        client = await self._serve.get_client(secret_of(user), Network.parse(network))
        return [account.account_id.hex for account in await client.list_accounts()]

    async def count_keys(self, user: User, network: str) -> int:
        """Count the keys in the folder of the user's client: on disk when live."""
        directory = client_directory(
            self._serve.storage_path, secret_of(user), Network.parse(network)
        )
        return await asyncio.to_thread(self.auditor.count_keys, directory)

    async def create_account_order(
        self, user: User, order: dict[str, Any], request_key: str | None = None
    ) -> Any:
        """Make an account from an order in JSON form; a retry gives the same request key."""
        return await self._serve.create_account_order(
            secret_of(user), parse_order(order), request_key=request_key
        )

    async def list_accounts(self, user: User) -> Any:
        """List the user's accounts and desks."""
        return await self._serve.list_accounts(secret_of(user))

    async def list_orders(self, user: User) -> Any:
        """List the user's orders: kind, stage, status and account of each."""
        return [
            {
                "order_type": one.order_type,
                "stage": one.stage,
                "status": one.status.value,
                "account": one.account,
            }
            for one in await self._serve.list_orders_for_user(secret_of(user))
        ]

    async def get_account_status(self, user: User, network: str, account: str) -> Any:
        """Say what an account is and owns."""
        return await self._serve.get_account_status(
            secret_of(user), Network.parse(network), account
        )

    async def client_sync(self, user: User, network: str) -> Any:
        """Bring the user's client to the chain's tip."""
        summary = await self._serve.client_sync(secret_of(user), Network.parse(network))
        return {"block_number": summary.block_number}

    async def flush(self) -> int:
        """Let all clients end."""
        return await self._serve.flush()

    async def flush_clients_for_secret(self, user: User) -> int:
        """Let one user's clients end."""
        return await self._serve.flush_clients_for_secret(secret_of(user))

    async def drained(self) -> None:
        """Wait until the clients that were flushed have ended."""
        await self._serve.drained()

    async def settled(self) -> None:
        """Wait until nothing is under way, what the start decides included."""
        await self._serve.settled()

    async def count_clients(self) -> int:
        """Count the live clients."""
        return len(self._serve.live_clients())

    async def init_desks(self) -> Any:
        """Start the desks' owners' clients; return which did not start, and by what error."""
        report = await self._serve.init_desks()
        return {
            "restored": list(report.restored),
            "failed": {one.desk_account: type(one.error).__name__ for one in report.failed},
        }

    async def list_desks(self) -> list[str]:
        """List the desks."""
        return list(await self._serve.list_desks())

    async def get_desk(self, desk_account: str) -> Any:
        """Return a desk."""
        return await self._serve.get_desk(desk_account)

    async def open_twice(self) -> str:
        """Open and close a second Serve on the storage; "opened", or the class of the error."""
        return await self._storage.open_twice()

    async def enter_again(self) -> str:
        """Enter the open Serve once more; "entered", or the class of the error."""
        return await self._storage.enter_again()

    async def list_asset_rows(self, user: User, network: str) -> Any:
        """List the user's assets as their rows have them."""
        return await self._storage.asset_rows(secret_of(user), network)

    async def plant_desk(self, user: User, network: str, desk: str = "") -> str:
        """Write a desk's row and its owner's folder, as an earlier process would have left them.

        ``desk`` tells several desks of one user apart.
        """
        return await self._storage.plant_desk(user.name + desk, secret_of(user), network)


def secret_of(user: User) -> bytes:
    """Return the secret by which serve knows a user, 32 bytes."""
    byte = user.data.get("secret_byte")
    if byte is None:
        return hashlib.sha256(user.name.encode()).digest()
    return bytes([int(byte)]) * SECRET_BYTES


def _user_mistakes(users: Sequence[User]) -> list[str]:
    """Find bad secrets, and users with the same secret, whom serve would take for one user."""
    found: list[str] = []
    names: dict[bytes, str] = {}
    for number, user in enumerate(users):
        where = f"users[{number}].data.secret_byte"
        try:
            secret = secret_of(user)
        except (TypeError, ValueError):
            byte = user.data["secret_byte"]
            found.append(f"{where}: must be 0 to 255, got {byte!r}; write a number")
            continue
        if secret in names:
            found.append(f"{where}: is that of {names[secret]}, too; give {user.name} another")
        names.setdefault(secret, user.name)
    return found


def _deadlines(settings: dict[str, Any]) -> Deadlines:
    return Deadlines(**{name: value for name, value in settings.items() if name in DEADLINES})


def _setting_mistakes(settings: dict[str, Any]) -> list[str]:
    found = []
    for name, value in settings.items():
        if name not in SETTINGS:
            hint = hinted(name, SETTINGS, instead="known")
            found.append(f"settings.{name}: no such setting, got {shown(value)}; {hint}")
        elif name == "key_scheme":
            schemes = [scheme.value for scheme in KeyScheme]
            if value not in schemes:
                known = ", ".join(schemes)
                found.append(f"settings.key_scheme: must be one of {known}, got {value!r}")
        elif name in SIZES:
            low, high = SIZES[name]
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                rule = f"must be a whole number from {low} to {high:_}"
                found.append(f"settings.{name}: {rule}, got {shown(value)}")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            found.append(f"settings.{name}: must be a number of seconds, got {value!r}")
        elif name == "idle_s":
            if value <= 0:
                found.append(f"settings.idle_s: must be more than 0 seconds, got {value!r}")
        else:
            try:
                _deadlines({name: value})
            except ValueError as error:
                found.append(f"settings.{name}: {error}")
    return found


def _error_class(name: str) -> type[ServeError] | None:
    found = getattr(serve.errors, name, None)
    return found if isinstance(found, type) and issubclass(found, ServeError) else None


def _error_named(name: str | None, message: str) -> Exception:
    found = _error_class(name or "ClientFailed")
    if found is None:
        raise BadInput(f'fault.error: serve has no error "{name}"')
    return found(message)


serve_core = ServeCore()
