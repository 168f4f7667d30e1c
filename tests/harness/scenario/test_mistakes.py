"""Every kind of mistake in a scenario file is told in full, word for word, never by a traceback."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.scenario.model import Scenario

CASES = [
    pytest.param(case, id=f"{path.stem}-{name}")
    for path in sorted(Path(__file__).parent.joinpath("mistakes").glob("*.toml"))
    for name, case in tomllib.loads(path.read_text()).items()
]
PYDANTICS_OWN = re.compile(r"Input should|validation error|pydantic|Traceback|_type=|constrained")


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_in_full(mistakes_of, case):
    changes = case.get("changes", [case])
    lines = mistakes_of(*((one.get("old"), one["new"]) for one in changes))
    assert lines == case["told"].splitlines()
    assert not PYDANTICS_OWN.search("\n".join(lines))


def test_at_least_forty_kinds_of_mistakes_are_known():
    assert len(CASES) >= 40


def test_a_name_of_two_thousand_letters_is_shortened(mistakes_of):
    (line,) = mistakes_of(('"Making works."', f'"{"x" * 2_001}"'))
    assert line.startswith('claim: must be at most 2000 letters long, got "xxx')
    assert len(line) < 140


def test_a_thousand_mistakes_are_cut_short(read_text, good_scenario):
    odd = "\n".join(f"key_{number} = 1" for number in range(1_000))
    with pytest.raises(BadInput, match="1000 mistakes\n") as caught:
        read_text(good_scenario.replace('id = "look"', odd))
    lines = str(caught.value).splitlines()
    assert len(lines) == 52
    assert lines[-1] == "  and 950 more; mend these first"


SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(["make", "list", "each", "spawn.before", "$make.x", "", "é\n{user}", "any"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["at", "until", "after", "of", "x y", "live"]), inner),
    ),
    max_leaves=5,
)
PLACES = st.sampled_from(
    [
        *("claim", "system", "settings", "users", "phase", "fault", "check", "name", "odd"),
        *("phase.0.name", "phase.0.do", "phase.0.node", "phase.0.restart", "phase.0.odd"),
        *(
            f"phase.0.do.{number}.{key}"
            for number in (0, 1)
            for key in ("id", "call", "user", "with", "times", "repeat", "start", "park", "cancel")
        ),
        *("phase.0.do.0.expect", "phase.1.do.0.odd", "phase.1.do.0.with"),
        *(f"check.{name}" for name in ("speedup", "result", "same_result", "latency", "odd")),
    ]
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(PLACES, VALUES), min_size=1, max_size=3))
def test_whatever_stands_anywhere_is_read_or_told(read_text, good_scenario, changes):
    data = tomllib.loads(good_scenario)
    for where, value in changes:
        _put(data, where.split("."), value)
    text = "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in data.items())
    found = _read_or_told(read_text, text)
    assert isinstance(found, Scenario) or re.search(r": \d+ mistakes?\n", found)
    assert isinstance(found, Scenario) or not PYDANTICS_OWN.search(found)


def _read_or_told(read_text, text):
    try:
        return read_text(text)
    except BadInput as told:
        return str(told)


def _put(data, path, value):
    at = data
    for key in path[:-1]:
        index = int(key) if key.isdigit() else key
        if isinstance(at, list):
            if not isinstance(index, int) or index >= len(at):
                return
        elif not isinstance(at, dict) or index not in at:
            return
        at = at[index]
    if isinstance(at, dict):
        at[path[-1]] = value


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)
