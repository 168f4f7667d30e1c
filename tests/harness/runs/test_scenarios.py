"""The mistakes of a scenario file are told at once, and what caused the others comes first."""

from __future__ import annotations

import os
import sys

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.errors import BadInput
from harness.runs.scenarios import scenario_at
from tests.harness.pytest_plugin.running import run as run_pytest

SYSTEM = """
class Tickets:
    conditions = ("none_twice",)

    def __init__(self, left: int = 3) -> None:
        self._left = left

    def none_twice(self) -> bool:
        return True

    async def buy(self, user: str) -> int:
        self._left -= 1
        return self._left

    async def refund(self, user: str, number: int) -> int:
        return number


class Shop:
    async def pay(self, user: str) -> int:
        return 1


class Angry:
    needs_node = False
    operations = ("buy",)

    def mistakes(self, scenario):
        raise RuntimeError("no idea")

    def open(self, environment):
        raise NotImplementedError
"""
SCENARIO = """
claim = "No ticket is sold twice."
system = "mistaken_tickets:Tickets"
settings = { left = 3 }
users = { count = 5 }
[[phase]]
name = "sale"
[[phase.do]]
call = "buy"
user = "each"
expect = "any"
[check]
success_share = { of = "buy", at_least = 0.6 }
distinct_results = { of = "buy", path = "" }
always = { of = ["none_twice"] }
"""
BYU = 'phase[0].do[0].call: the system has no operation "byu"; did you mean "buy"?'


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write the scenario, with some of its text replaced, and give its path."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "mistaken_tickets", raising=False)
    (tmp_path / "mistaken_tickets.py").write_text(SYSTEM, encoding="utf-8")
    (tmp_path / "scenarios").mkdir()

    def write(*changes):
        text = SCENARIO
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "scenarios" / "tickets.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def mistakes(write):
    """List the mistakes of the scenario with some of its text replaced."""

    def mistakes(*changes, system=None):
        with pytest.raises(BadInput, match="mistake") as refused:
            scenario_at(write(*changes), system=system)
        first, *lines = str(refused.value).splitlines()
        assert first.endswith(f": {len(lines)} mistake{'s' * (len(lines) != 1)}")
        return [line.strip() for line in lines]

    return mistakes


def test_a_file_that_was_changed_is_read_again(write):
    path = write()
    assert scenario_at(path) is scenario_at(path)
    write(("No ticket is sold twice.", "All is well."))
    # The clock of a file system may be too coarse to tell two writes apart.
    os.utime(path, ns=(1, 1))
    assert scenario_at(path).claim == "All is well."


def test_a_call_that_is_misspelt_is_blamed_and_not_what_names_it_rightly(mistakes):
    assert mistakes(('call = "buy"', 'call = "byu"')) == [BYU]


def test_a_check_that_is_misspelt_is_blamed(mistakes):
    assert mistakes(('success_share = { of = "buy"', 'success_share = { of = "byu"')) == [
        'check.success_share.of: no step is named "byu"; did you mean "buy"?'
    ]


def test_what_the_file_and_its_system_find_is_told_at_once(mistakes):
    changes = [
        ('call = "buy"', 'call = "byu"'),
        ("left", "lefft"),
        ("at_least", "atleast"),
        ("none_twice", "none_twise"),
    ]
    assert mistakes(*changes) == [
        'settings.lefft: Tickets takes no such argument, got 3; did you mean "left"?',
        BYU,
        'check.always.of: the system has no condition "none_twise"; did you mean "none_twice"?',
        'check.success_share.atleast: no such key; did you mean "at_least"?',
    ]


def test_what_a_mistaken_call_is_called_with_is_not_judged(mistakes):
    found = mistakes(('call = "buy"', 'id = "buy"\ncall = "refnd"'), ("at_least", "atleast"))
    assert found == [
        'phase[0].do[0].call: the system has no operation "refnd"; did you mean "refund"?',
        'check.success_share.atleast: no such key; did you mean "at_least"?',
    ]


def test_a_call_that_resembles_nothing_is_told_first(mistakes):
    first, *others = mistakes(('call = "buy"', 'call = "sell_all"'))
    assert first == (
        'phase[0].do[0].call: the system has no operation "sell_all"; known: buy, refund'
    )
    assert len(others) == 2


def test_a_system_that_cannot_be_loaded_is_told_first(mistakes):
    first, *others = mistakes((":Tickets", ":Tickts"), ('of = "buy", at', 'of = "byu", at'))
    assert first.startswith('system "mistaken_tickets:Tickts": mistaken_tickets has no Tickts; ')
    assert others == ['check.success_share.of: no step is named "byu"; did you mean "buy"?']


def test_a_system_that_is_no_import_path_is_told_once(mistakes):
    first, *others = mistakes(("mistaken_tickets:", ""), ('of = "buy", at', 'of = "byu", at'))
    assert first == 'system: must be "package.module:attribute", got "Tickets"'
    assert others == ['check.success_share.of: no step is named "byu"; did you mean "buy"?']


def test_an_adapter_that_fails_hides_no_mistake(mistakes):
    assert mistakes((":Tickets", ":Angry"), ('call = "buy"', 'call = "byu"')) == [
        "system: its mistakes() failed: RuntimeError('no idea'); mend the adapter",
        BYU,
    ]


def test_the_system_that_is_asked_for_says_what_it_has(mistakes):
    changes = [('call = "buy"', 'call = "payy"'), ('of = "buy"', 'of = "pay"')]
    other = "mistaken_tickets:Shop"
    assert mistakes(*changes, system=other)[:2] == [
        "settings.left: Shop takes no such argument, got 3; it takes: none",
        'phase[0].do[0].call: the system has no operation "payy"; did you mean "pay"?',
    ]


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("list",), ("explore",), ("verify",), ("replay", "--seed", "1")],
    ids=" ".join,
)
def test_every_command_tells_the_same(write, arguments):
    command, *options = arguments
    path = write(('call = "buy"', 'call = "byu"'))
    with pytest.raises(BadInput, match="mistake") as refused:
        CliRunner().invoke(app, [command, path, *options], catch_exceptions=False)
    assert str(refused.value) == f"{path}: 1 mistake\n  {BYU}"


def test_pytest_tells_the_same(write, tmp_path):
    write(('call = "buy"', 'call = "byu"'))
    assert f"tickets.toml: 1 mistake\n  {BYU}\n" in run_pytest(tmp_path).stdout
