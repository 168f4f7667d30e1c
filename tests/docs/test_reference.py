"""The reference: nothing public is missing from it, and nothing in it was written by hand."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest
import typer

from harness.checks.registry import CHECKS
from harness.cli.app import app
from harness.scenario.keys import file_keys, known_keys, known_kinds
from harness.scenario.model import Scenario
from harness.simulated.world.profile import Profile
from harness.simulated.world.profile_reading import read_profile

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generated():
    """The module that makes the pages' generated parts; Sphinx finds it by a path of its own."""
    sys.path.insert(0, str(DOCS / "extension"))
    try:
        yield importlib.import_module("generated")
    finally:
        sys.path.remove(str(DOCS / "extension"))


@pytest.fixture(scope="module")
def page(generated):
    """Read a page of the reference as Sphinx does."""
    return lambda name: generated.filled((DOCS / f"reference/{name}.md").read_text("utf-8"))


def test_every_mark_is_made_and_everything_made_has_its_mark(generated):
    pages = [page.read_text("utf-8") for page in DOCS.rglob("*.md")]
    marks = [mark for page in pages for mark in generated.MARK.findall(page)]
    assert sorted(marks) == sorted(generated.MAKERS)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("python", "harness"),
        ("consistency", "harness.consistency"),
        ("ports", "harness.systems.port"),
    ],
)
def test_every_public_name_has_an_entry(page, name, module):
    entries = set(re.findall(rf":: {re.escape(module)}\.(\w+)(?:\(\))?$", page(name), re.MULTILINE))
    assert entries == set(importlib.import_module(module).__all__)


def test_what_results_hold_exists(page):
    names = re.findall(r":: (harness\.results\.\S+)\(\)$", page("python"), re.MULTILINE)
    assert len(names) > 1
    for name in names:
        module, _, attribute = name.rpartition(".")
        assert getattr(importlib.import_module(module), attribute).__doc__


def rows_of(text: str, heading: str) -> list[str]:
    """Return the keys in the table under a heading."""
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_every_key_of_a_scenario_file_has_a_row(page):
    text = page("scenario-files")
    assert set(rows_of(text, "At the top")) == set(file_keys())
    for names, heading in {
        ("phase",): "`[[phase]]`",
        ("phase", "do"): "`[[phase.do]]`",
        ("phase", "do", "start"): "`start`",
        ("phase", "do", "park"): "`park`",
        ("phase", "do", "cancel"): "`cancel`",
        ("phase", "do", "repeat"): "`repeat`",
        ("fault",): "`[[fault]]`",
        ("users",): "`[[users]]`",
    }.items():
        assert rows_of(text, heading) == known_keys(Scenario, names)


PROFILE_TABLES = [("executor",), ("latency_ms",), ("rpcs",), ("command", "spawn")]


def test_every_key_of_a_profile_has_a_row(page):
    text = page("profiles")
    tables = {names[0] for names in PROFILE_TABLES}
    assert rows_of(text, "At the top") == [
        key for key in known_keys(Profile, ()) if key not in tables
    ]
    for names in PROFILE_TABLES:
        heading = "`[command.NAME]`" if names[0] == "command" else f"`[{names[0]}]`"
        assert rows_of(text, heading) == known_keys(Profile, names)
    for command in known_keys(Profile, ("command",)):
        assert f"`{command}` (" in text
    for kind in known_kinds(Profile, ("latency_ms", "rpc")):
        assert rows_of(text, f"`{kind}`") == known_keys(Profile, ("latency_ms", "rpc", kind))


def test_a_row_of_a_profile_has_its_range_its_unit_and_the_nominal_figure(page):
    lines = page("profiles").splitlines()
    for row in (
        "| `cores` | whole number, at least 1, at most 1,024 |  | `64` | ",
        "| `block_interval_ms` | number, more than 0, at most 86,400,000 | ms | `5000` | ",
        '| `refused` | a distribution | ms | `{ kind = "constant", value = 20 }` | ',
        "| `sigma` | number, more than 0, at most 3 |  | ",
        "| `values` | list of number, at least 0, at most 86,400,000 | ms | ",
    ):
        assert any(line.startswith(row) for line in lines), row


def test_the_page_of_scenarios_tells_every_kind_of_distribution_and_a_profile_that_is_read(
    tmp_path,
):
    text = (DOCS.parent / "scenarios/README.md").read_text("utf-8")
    section = text.partition("\n## Latency profiles\n")[2].partition("\n## ")[0]
    kinds = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert kinds == known_kinds(Profile, ("latency_ms", "rpc"))
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    path = tmp_path / "slow_disk.toml"
    path.write_text(example)
    command = read_profile(path).model_dump()["command"]
    assert command["later_sync"]["wait_ms"]["kind"] == "empirical"


def test_every_table_of_a_scenario_file_has_a_section_that_links_lead_to(page):
    text = page("scenario-files")
    headings = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^## (.*)$", text, re.MULTILINE)
    }
    links = set(re.findall(r"\]\(#([^)]*)\)", text))
    assert links == headings - {"at-the-top"}


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_has_a_section_with_all_its_keys(page, name):
    text = page("checks")
    assert f"\n## `{name}`\n" in text
    fields = CHECKS[name].parameters.model_fields
    keys = {field.alias or key for key, field in fields.items()}
    assert keys <= set(rows_of(text, f"`{name}`"))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no_leaks", "Always on."),
        ("linearizable", "Made where `[check]` lists it."),
        (
            "elapsed",
            "Made where `[check]` lists it."
            " A search leaves it out: it rests on latencies, which a search stretches."
            " Not made in a run with faults: it rests on calls that succeed.",
        ),
        (
            "result",
            "Made where `[check]` lists it."
            " A search leaves it out where the scenario waits for fixed times."
            " Not made in a run with faults: it rests on calls that succeed.",
        ),
    ],
)
def test_a_section_of_a_check_says_when_it_is_made(page, name, told):
    section = page("checks").partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    assert told in section.splitlines()


def commands_of(command, path=("harness",)):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands_of(inner, (*path, name))


COMMANDS = list(commands_of(typer.main.get_command(app)))


@pytest.fixture(scope="module")
def command_line(page):
    return page("command-line")


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS]
)
def test_every_command_and_every_option_has_an_entry(command_line, path, command):
    section = re.split(r"^#+ `", command_line, flags=re.MULTILINE)
    (own,) = [one for one in section if one.startswith(f"{' '.join(path)}`\n")]
    options = [one for one in command.params if one.name == "paths" or not one.hidden]
    assert [one for one in options if not all(name in own for name in words_of(one))] == []


def words_of(parameter):
    """Return the words for an option, or what the usage calls an argument."""
    is_argument = parameter.param_type_name == "argument"
    return [parameter.metavar] if is_argument and parameter.metavar else parameter.opts


def test_every_option_and_fixture_of_pytest_has_an_entry(page):
    plugin = (DOCS.parent / "harness/pytest_plugin/plugin.py").read_text("utf-8")
    options = re.findall(r'"(--harness-[a-z-]+)",\n', plugin)
    fixtures = re.findall(r"^@pytest.fixture\ndef (\w+)", plugin, re.MULTILINE)
    assert len(options) > len(fixtures) > 1
    text = page("pytest")
    rows = re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE)
    assert rows == options
    assert re.findall(r"^\*\*`(\w+)`\*\*$", text, re.MULTILINE) == fixtures
