"""Claims: a native failure becomes the class of the serve core's errors that says what to do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from serve import errors
from serve.miden.failures import command_error, spawn_error


@dataclass
class Failure:
    code: str
    message: str = "the sync failed"
    chain: tuple[str, ...] = ("RPC error", "Connection refused")


COMMAND_CLASSES = {
    "invalid_input": errors.InvalidInput,
    "network_mismatch": errors.NetworkMismatch,
    "account_not_found": errors.AccountNotFound,
    "store_failed": errors.ClientStoreFailed,
    "store_in_use": errors.ClientStoreInUse,
    "node_unreachable": errors.NodeUnreachable,
    "node_rejected": errors.NodeRejected,
    "dial_timeout": errors.DialTimedOut,
    "command_timeout": errors.CommandTimedOut,
    "client_closed": errors.ClientClosed,
    "busy": errors.ClientBusy,
    "client_failed": errors.ClientFailed,
    "a code of a later version": errors.ClientFailed,
}


@pytest.mark.parametrize(("code", "expected"), COMMAND_CLASSES.items())
def test_each_code_of_a_command_has_its_class(code, expected):
    assert type(command_error(Failure(code), what="sync")) is expected


@pytest.mark.parametrize(
    ("code", "expected"),
    {
        "client_closed": errors.SpawnFailed,
        "client_failed": errors.SpawnFailed,
        "a code of a later version": errors.SpawnFailed,
        "command_timeout": errors.DialTimedOut,
        "store_in_use": errors.ClientStoreInUse,
        "network_mismatch": errors.NetworkMismatch,
    }.items(),
)
def test_a_start_that_fails_has_classes_of_its_own(code, expected):
    assert type(spawn_error(Failure(code), what="spawn")) is expected


def test_the_message_tells_where_what_and_every_cause():
    error = command_error(Failure("node_unreachable"), what="client of alice: sync")
    assert str(error) == "client of alice: sync: the sync failed: RPC error: Connection refused"
