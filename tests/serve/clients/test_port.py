"""Claims: the protocol is the one table of commands, and whoever passes them on has them all."""

import inspect
from contextlib import nullcontext
from typing import Any

import pytest

from serve import ClientHandle, Network
from serve.clients.port import COMMANDS, READS, Client, ClientCommands, ClientReads
from serve.domain.address import Owner


class Notes(ClientCommands):
    """Notes what it is given, and answers with its number."""

    def __init__(self):
        self.given = []

    async def _call(self, name, *arguments):
        self.given.append((name, *arguments))
        return len(self.given)


def public_names(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_table_has_each_command_of_the_protocol_and_nothing_else():
    assert set(READS) == public_names(ClientReads)
    assert set(COMMANDS) == public_names(ClientCommands)
    assert public_names(Client) == {*COMMANDS, "closed", "close", "kill"}
    assert len(set(COMMANDS)) == len(COMMANDS)


def test_a_handle_only_reads():
    assert public_names(ClientHandle) == set(READS)
    unused: Any = nullcontext
    handle = ClientHandle(unused, Owner(bytes(32), Network.TESTNET), generation=3)
    assert public_names(handle) == {*READS, "generation"}


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_command_is_passed_on_by_its_name_with_its_arguments(name):
    notes = Notes()
    command = getattr(notes, name)
    arguments = [object() for _ in inspect.signature(command).parameters]
    waiting = command(*arguments)
    # What a report of waiting tasks shows is the command itself, not what passes it on.
    assert waiting.cr_code.co_name == name
    assert await waiting in (1, None)
    assert notes.given == [(name, *arguments)]
