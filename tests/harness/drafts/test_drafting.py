"""Drafts of scenario files: for classes of all kinds they are valid, explained, and pass."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import harness
from harness.drafts.drafting import drafted
from harness.errors import BadInput, Terminated
from harness.scenario.reading import read_scenario
from tests.harness.drafts import services

ROOT = Path(__file__).parents[3]
HERE = services.__name__
CORRECT = (
    "Tickets", "SoldOut", "Inherits", "Bank", "Box", "Streams", "Methods", "KeywordOnly", "Names",
    "Outer.Inner", "Managed", "Worker", "Sessions",
    "Audited", "Queue", "Waits", "Polls", "Rows", "Shares",
    "OneAtATime", "InFlight", "Clocked", "Chance", "Types", "PositionalOnly", "Prints", "Slotted",
    "Owned", "Garbles", "Reluctant",
)  # fmt: skip
# Runs of a search in which a false accusation would show.
RUNS = 30


@cache
def drafted_once(system):
    return drafted(system, path="drafted.toml")


@pytest.fixture
def draft(tmp_path):
    """Write the draft of a class into a file; return its path, its text and the remarks."""

    def write(name):
        path = tmp_path / "drafted.toml"
        found = drafted_once(name if ":" in name else f"{HERE}:{name}")
        path.write_text(found.text, encoding="utf-8")
        return path, found.text, "\n".join(found.remarks)

    return write


def steps_of(path):
    return {step.call: step for step in read_scenario(path).steps}


def checks_of(text):
    return tomllib.loads(text)["check"]


@pytest.mark.parametrize("name", CORRECT)
def test_the_file_for_a_correct_class_passes_as_it_is(draft, name):
    path, _, _ = draft(name)
    result = harness.run_scenario(path)
    assert result.verdict is harness.Verdict.PASSED, result.checks


@pytest.mark.parametrize("name", CORRECT)
def test_no_order_of_events_makes_the_file_accuse_a_correct_class(draft, name):
    path, _, _ = draft(name)
    found = harness.explore_scenario(path, runs=RUNS)
    assert [one.headline for one in found.failures] == []


@pytest.mark.parametrize("name", CORRECT)
def test_every_line_of_the_file_is_explained(draft, name):
    _, text, _ = draft(name)
    lines = text.splitlines()
    assert all(line.isprintable() for line in lines)
    for before, line in pairwise(lines):
        if line and not line.startswith(("#", "]")):
            assert re.search(r"  # \w", line) or before.startswith("# "), line


def test_a_class_in_a_package_of_the_current_folder_is_found(tmp_path, monkeypatch, draft):
    package = tmp_path / "office_of_draft"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "prices.py").write_text("PRICE = 3\n", encoding="utf-8")
    (package / "desk.py").write_text(
        "class Desk:\n    async def price(self):\n"
        "        from office_of_draft.prices import PRICE\n        return PRICE\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    path, _, remarks = draft("office_of_draft.desk:Desk")
    assert remarks == ""
    assert harness.run_scenario(path).verdict is harness.Verdict.PASSED


def test_the_class_of_the_readme_is_drafted_as_the_readme_says(tmp_path, monkeypatch, draft):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n# tickets\.py\n(.*?)```", readme, re.DOTALL)
    assert program is not None
    (tmp_path / "tickets.py").write_text(program[1], encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    path, text, _ = draft("tickets:Tickets")
    scenario = read_scenario(path)
    assert scenario.system == "tickets:Tickets"
    assert [step.call for step in scenario.steps] == ["buy"]
    assert checks_of(text)["distinct_results"] == [{"of": "buy", "path": ""}]


def test_defaults_of_the_constructor_are_shown_as_settings(draft):
    assert read_scenario(draft("Tickets")[0]).settings == {"left": 3}
    assert read_scenario(draft("Bank")[0]).settings == {"start": 10, "fee": 0.5}


def test_arguments_are_those_that_the_signature_asks_for(draft):
    path, _, _ = draft("Types")
    given = steps_of(path)["all"].arguments
    assert given["colour"] == "red"
    assert given["kind"] == "a"
    assert given["place"] == {"street": "street", "number": 1}
    assert steps_of(path)["all"].expect == "success"


def test_what_no_value_can_be_written_for_is_told_in_the_file_and_to_whoever_asked(draft):
    path, text, remarks = draft("Types")
    assert steps_of(path)["unknown"].expect == "any"
    for name in ("session", "raw", "size", "call", "x"):
        assert f"unknown: its argument {name} is a guess: " in remarks
        assert re.search(rf"# .*GUESSED: .*\b{name}, ", text)


def test_a_setting_called_like_a_user_is_given_none(draft):
    assert read_scenario(draft("Owned")[0]).settings == {"owner": "owner"}


def test_inherited_methods_come_first(draft):
    assert list(steps_of(draft("Inherits")[0])) == ["buy", "give_back"]


def test_a_parameter_called_like_a_user_is_given_the_user(draft):
    assert steps_of(draft("Bank")[0])["deposit"].arguments["account_id"] == "account_id"
    path, _, _ = draft("KeywordOnly")
    assert steps_of(path)["put"].arguments == {"key": "key", "user_id": "{user}"}
    assert read_scenario(path).settings == {"size": 1, "name": "name"}
    assert steps_of(draft("Slotted")[0])["look"].arguments == {
        "username": "{user}", "owner": "{user}",
    }  # fmt: skip


def test_defaults_that_toml_or_a_scenario_would_change_are_left_to_the_class(draft):
    steps = steps_of(draft("Names")[0])
    assert steps["call"].arguments == {"true": 'a "b" \\ \n\x7f\u2028'}
    assert steps["each"].arguments == {"größe": 3}
    assert read_scenario(draft("Slotted")[0]).settings == {}


@pytest.mark.parametrize(
    ("name", "method", "why"),
    [
        ("Names", "größer", "a scenario cannot call it by such a name"),
        ("Streams", "numbers", "an async generator"),
        ("PositionalOnly", "one", "it takes key by its place only"),
        ("Managed", "close", "the harness opens and closes the class"),
        ("Waits", "ready", "its calls did not end"),
        ("Polls", "follow", "its calls did not end"),
    ],
)
def test_a_method_that_is_not_called_is_told_with_the_reason(draft, name, method, why):
    path, text, remarks = draft(name)
    assert method not in steps_of(path)
    assert f"# Not called: {method}, because {why}" in text
    assert f"{method} is not called: {why}" in remarks


def test_what_opens_and_closes_a_class_comes_first_and_last_and_once(draft):
    phases = read_scenario(draft("Worker")[0]).phase
    assert [[step.call for step in phase.do] for phase in phases] == [
        ["start"], ["submit"], ["stop"],
    ]  # fmt: skip
    assert [phase.do[0].user for phase in phases] == [None, "each", None]
    phases = read_scenario(draft("Sessions")[0]).phase
    assert [phase.do[0].call for phase in phases] == ["connect", "ask", "disconnect"]
    assert [phase.do[0].user for phase in phases] == ["each", "each", "each"]


def test_calls_that_wait_for_each_other_are_kept(draft):
    assert set(steps_of(draft("Queue")[0])) == {"get", "put"}


def test_calls_that_fail_in_some_order_may_fail_and_their_share_is_asked_only_if_it_is_fixed(draft):
    path, text, _ = draft("SoldOut")
    assert steps_of(path)["buy"].expect == "any"
    assert "LookupError: sold out" in text
    assert checks_of(text)["success_share"] == [{"of": "buy", "at_least": 0.66}]
    path, text, _ = draft("Rows")
    assert {name: step.expect for name, step in steps_of(path).items()} == {
        "create": "success", "read": "any", "delete": "any",
    }  # fmt: skip
    assert checks_of(text)["success_share"] == [{"of": "create", "at_least": 1.0}]


def test_only_what_looks_like_ids_must_be_distinct(draft):
    assert [one["of"] for one in checks_of(draft("Chance")[1])["distinct_results"]] == [
        "token", "order",
    ]  # fmt: skip
    assert checks_of(draft("Chance")[1])["distinct_results"][1]["path"] == "order_id"
    for name in ("Clocked", "InFlight", "Slotted", "Methods"):
        assert "distinct_results" not in checks_of(draft(name)[1])


@pytest.mark.parametrize("name", ["Racy", "Shares"])
def test_the_same_given_to_calls_at_once_only_is_told_and_not_judged(draft, name):
    _, text, remarks = draft(name)
    assert "distinct_results" not in checks_of(text)
    assert "# distinct_results = { of = " in text
    assert "calls at once were given the same, calls in turn never were" in remarks


def test_the_check_that_is_a_comment_finds_the_race_once_it_is_none(draft):
    path, text, _ = draft("Racy")
    path.write_text(text.replace("# distinct_results", "distinct_results"), encoding="utf-8")
    assert harness.run_scenario(path).verdict is harness.Verdict.FAILED


def test_a_message_that_could_command_a_terminal_is_told_on_one_line_with_escapes(draft):
    _, text, _ = draft("Garbles")
    (told,) = drafted_once(f"{HERE}:Garbles").remarks
    escaped = r"RuntimeError: two\nlines\x0d\x1b[31m\x00\x9b\u2028"
    assert told.startswith(f"build: calls at once failed, calls in turn never: {escaped}; ")
    assert f"and never in turn: {escaped}\n" in text


def test_calls_that_fail_only_at_once_are_told(draft):
    _, text, remarks = draft("OneAtATime")
    assert "build: calls at once failed, calls in turn never: RuntimeError: a build" in remarks
    assert "as one did when called at once, and never in turn" in text


def test_conditions_and_an_audit_are_offered_as_checks(draft):
    path, text, _ = draft("Audited")
    assert "end_state" in checks_of(text)
    assert '# always = { of = ["is_sound"] }' in text
    path.write_text(text.replace("# always", "always"), encoding="utf-8")
    assert harness.run_scenario(path).verdict is harness.Verdict.PASSED


@pytest.mark.parametrize("name", ["Killed", "KilledWhileRead"])
def test_whoever_ends_the_process_ends_the_trial(name):
    with pytest.raises(Terminated):
        drafted(f"{HERE}:{name}", path="x.toml")


def test_what_a_class_prints_or_logs_while_it_is_tried_is_not_shown(capsys):
    drafted(f"{HERE}:Prints", path="x.toml")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Unmade", "it could not be tried: ValueError: no database"),
        ("Ends", "it could not be tried: Ends ended the interpreter"),
        ("Threads", "--node live"),
        ("Leaves", "it will fail, and then show why: no_leaks: 3 left"),
        ("LeavesOnce", "it will fail, and then show why: no_leaks: 2 left"),
        ("Stuck", "it will fail, and then show why: no_deadlock: "),
    ],
)
def test_what_keeps_the_file_from_passing_is_told(draft, name, told):
    path, _, remarks = draft(name)
    assert told in remarks
    assert all(map(str.isprintable, remarks.splitlines()))
    assert list(steps_of(path)) == ["do"]


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("nocolon", 'must be "package.module:attribute"'),
        ("no.such.module:X", "there is no module no"),
        (f"{HERE}:Ticket", "did you mean Tickets?"),
        (f"{HERE}:Nothing", "has no public async method"),
        (f"{HERE}:OnlyByPlace", "has no method that a scenario can call; do: it takes it by its"),
        (f"{HERE}:Abstract", r"is abstract \(it leaves open: do\), so it cannot be made"),
        (f"{HERE}:Spoken", "is abstract, so it cannot be made"),
        (f"{HERE}:Mislabelled", "Mislabelled: do: its signature cannot be told: unexpected object"),
        (f"{HERE}:MislabelledItself", "cannot be read: TypeError: unexpected object 3 in"),
        (f"{HERE}:Refuses", r"cannot be read: SystemExit: what is\\nneeds_node\?; mend it"),
        (f"{HERE}:Refuses.Inner", "cannot be read: SystemExit: what is"),
        (f"{HERE}:LazyAudit", "cannot be read: SystemExit: 1"),
        (f"{HERE}:function", "got the function function"),
        (f"{HERE}:instance", "got an object of Tickets"),
        ("harness.systems.serve_core:serve_core", "is an adapter"),
        ("asyncio:sleep", "got the function sleep"),
    ],
)
def test_what_is_no_class_to_run_is_refused_in_one_line(system, told):
    with pytest.raises(BadInput, match=told) as caught:
        drafted(system, path="x.toml")
    assert "\n" not in str(caught.value)
