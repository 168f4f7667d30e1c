"""Scenario files are found, read and checked; one that cannot be read is refused in one line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from harness.checks.registry import CHECKS
from harness.errors import BadInput
from harness.history.records import NodeKind
from harness.scenario.model import Cancel, Fault, Park, Phase, Repeat, Start, Step, UserCount
from harness.scenario.reading import find_scenarios, read_scenario

REPOSITORY = Path(__file__).parents[3]


def refused(path):
    with pytest.raises(BadInput, match=re.escape(str(path))) as caught:
        read_scenario(path)
    told = str(caught.value)
    assert "\n" not in told
    return told.replace(str(path.parent), "").lstrip("/")


@pytest.mark.parametrize("path", find_scenarios([REPOSITORY / "scenarios"]), ids=lambda p: p.stem)
def test_a_scenario_of_the_repository_is_read(path):
    scenario = read_scenario(path)
    assert scenario.name == path.stem
    assert {"simulated", "live"} == set(scenario.checks)


def test_a_good_scenario_is_read_whole(read_text, good_scenario, tmp_path):
    scenario = read_text(good_scenario)
    assert scenario.name == "claim"
    assert scenario.path == str(tmp_path / "claim.toml")
    assert [user.name for user in scenario.users] == ["alice", "bob"]
    assert [step.name for step in scenario.steps] == ["make", "list", "look"]
    assert scenario.within_s(NodeKind.SIMULATED) == 10


def test_the_checks_of_every_run_are_there_unasked(read_text, good_scenario):
    scenario = read_text(good_scenario.replace("no_deadlock = { within_s = 10 }", ""))
    names = [check.name for check in scenario.checks["live"]]
    assert names == ["no_deadlock", "outcomes", "end_state", "no_leaks"]
    assert scenario.within_s(NodeKind.SIMULATED) == 30


def test_a_limit_for_one_backend_overrides_the_common_one(read_text, good_scenario):
    limits = 'latency = { of = "make", max_ms = 5, live = { max_ms = 50, p50_ms = 20 } }'
    scenario = read_text(good_scenario + limits)
    simulated, live = (
        next(one.parameters for one in scenario.checks[kind] if one.name == "latency")
        for kind in ("simulated", "live")
    )
    assert (simulated.max_ms, simulated.p50_ms) == (5, None)
    assert (live.max_ms, live.p50_ms) == (50, 20)


def test_a_check_may_stand_several_times(read_text, good_scenario):
    twice = 'latency = [{ of = "make", max_ms = 5 }, { of = "list", max_ms = 6 }]'
    checks = read_text(good_scenario + twice).checks["simulated"]
    assert [one.parameters.of for one in checks if one.name == "latency"] == ["make", "list"]


def test_many_users_are_numbered_in_names_and_in_all_text_of_data(read_text, good_scenario):
    data = '{ byte = "{number}", deep = [{ a = "x{number}" }] }'
    many = f'{{ count = 3, name = "u{{number}}", data = {data} }}'
    users = read_text(
        good_scenario.replace('["alice", "bob"]', many).replace('"alice"', '"u1"')
    ).users
    assert [user.name for user in users] == ["u0", "u1", "u2"]
    assert users[2].data == {"byte": "2", "deep": [{"a": "x2"}]}


def test_a_step_may_use_the_result_of_one_that_has_ended(read_text, good_scenario):
    after = (
        'id = "list"\nstart = { after = "make", when = "ends" }\nwith.account = "$make.account_id"'
    )
    scenario = read_text(good_scenario.replace('id = "list"', after))
    assert scenario.steps[1].arguments == {"account": "$make.account_id"}


def test_a_result_as_a_whole_is_referred_to_with_and_without_a_dot(read_text, good_scenario):
    for reference in ("$make", "$make."):
        text = good_scenario.replace('call = "look"', f'call = "look"\nwith.all = "{reference}"')
        assert read_text(text).steps[2].arguments == {"all": reference}


def test_waiting_for_a_park_is_no_ring(read_text, good_scenario):
    text = good_scenario.replace(
        'id = "make"', 'id = "make"\npark = { at = "spawn.before", until = "list" }'
    ).replace('id = "list"', 'id = "list"\nstart = { after = "make", when = "parks" }')
    assert read_text(text).steps[0].park.until == "list"


def test_a_missing_file_is_told_with_the_name_that_was_meant(tmp_path):
    tmp_path.joinpath("slow_create.toml").touch()
    told = refused(tmp_path / "slow_creat.toml")
    assert told == "slow_creat.toml: no such file or folder; did you mean /slow_create.toml?"


def test_a_missing_folder_is_told(tmp_path):
    told = refused(tmp_path / "nowhere" / "x.toml")
    assert told.startswith("x.toml: no such file or folder; there is no folder")


def test_a_folder_is_no_scenario_file(tmp_path):
    assert refused(tmp_path).endswith(": is a folder; name a file in it")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.toml")
    told = refused(tmp_path / "x.toml")
    assert told == "x.toml: is no regular file; name a scenario file (*.toml)"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty; a scenario has claim, users, [[phase]] and [check]"),
        (b"# only a comment\n", "is empty; a scenario has claim, users, [[phase]] and [check]"),
        (b"claim = 'a'\n\xff\xfe", "must be UTF-8 text, line 2 is not; save it as UTF-8"),
        (
            b"\xef\xbb\xbfclaim = 'a'",
            "begins with a byte order mark; save it as UTF-8 without one",
        ),
        (b"claim = \n", "is not TOML: invalid value (at line 1, column 9)"),
        (b"claim = 'a'\nclaim = 'b'", "is not TOML: cannot overwrite a value (at end of document)"),
        (b"a = " + b"1" * 5_000, "is not TOML: a number has thousands of digits; no key takes one"),
        (b"a = " + b"[" * 5_000, "is nested deeper than 30 tables or lists; write it flatter"),
        (
            b".".join([b"a"] * 5_000) + b" = 1",
            "is nested deeper than 30 tables or lists; write it flatter",
        ),
        (b"#" * 1_000_001, "must be at most 1_000_000 bytes, has 1_000_001; split it"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value[:24],
)
def test_what_is_no_scenario_is_refused(tmp_path, content, told):
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    assert refused(path) == f"x.toml: {told}"


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "x.toml"
    path.write_text("claim = 'a'")

    def denied(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert refused(path) == "x.toml: cannot be read: Permission denied"


def test_a_name_that_no_file_can_have_is_told(tmp_path):
    assert "cannot be read" in refused(tmp_path / ("x" * 300 + ".toml"))
    with pytest.raises(BadInput, match="cannot be read"):
        find_scenarios([tmp_path / ("x" * 300)])


def test_folders_are_searched_in_order_and_hidden_ones_are_not(tmp_path):
    for name in ("b.toml", "a/c.toml", ".hidden/d.toml", "a/readme.md"):
        tmp_path.joinpath(name).parent.mkdir(exist_ok=True)
        tmp_path.joinpath(name).touch()
    b = tmp_path / "b.toml"
    assert find_scenarios([b, tmp_path]) == [b, tmp_path / "a" / "c.toml"]


def test_a_folder_without_scenarios_is_refused(tmp_path):
    with pytest.raises(BadInput, match="holds no scenario"):
        find_scenarios([tmp_path])


def test_a_path_that_is_not_there_is_refused(tmp_path):
    tmp_path.joinpath("scenarios").mkdir()
    with pytest.raises(BadInput, match=r"no such file or folder; did you mean .*/scenarios\?"):
        find_scenarios([tmp_path / "scenario"])


README = REPOSITORY.joinpath("scenarios", "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(claim = .*?)```", README, re.DOTALL)


def test_the_readme_has_whole_examples_and_they_are_read(read_text):
    assert EXAMPLES
    for example in EXAMPLES:
        assert read_text(example).steps


@pytest.mark.parametrize("model", [Cancel, Fault, Park, Phase, Repeat, Start, Step, UserCount])
def test_the_readme_explains_every_key(model):
    keys = [field.alias or name for name, field in model.model_fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}\b", README)] == []


@pytest.mark.parametrize("name", CHECKS)
def test_the_readme_explains_every_check_and_parameter(name):
    assert f"| `{name} = " in README
    fields = CHECKS[name].parameters.model_fields
    parameters = [field.alias or key for key, field in fields.items()]
    assert [key for key in parameters if not re.search(rf"\b{key}\b", README)] == []
