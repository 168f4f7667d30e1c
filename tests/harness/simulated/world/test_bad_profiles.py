"""Every kind of bad profile is refused: all of its mistakes at once, word for word."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import BadInput
from harness.simulated.world.profile_reading import profile_named, profile_names
from tests.harness.simulated.world.bad_profiles import BAD

PYDANTICS_OWN = re.compile(r"Input should|validation error|pydantic|Traceback|_type=|_attributes")


def test_at_least_thirty_kinds_of_bad_profiles_are_known():
    assert len({made for _, made, _ in BAD}) >= 30


@pytest.mark.parametrize(("make", "told"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_profile_is_told_in_full(tmp_path, make, told):
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(BadInput) as caught:
        profile_named(str(path))
    assert str(caught.value) == told.replace("FILE", str(path))
    assert not PYDANTICS_OWN.search(str(caught.value))


def test_all_mistakes_are_told_at_once(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("cores = 0\nodd = 1\n[latency_ms]\nstore = 1\n[rpcs]\nstatus = -1\n")
    with pytest.raises(BadInput, match="5 mistakes") as caught:
        profile_named(path)
    places = [line.split(": ")[0].strip() for line in str(caught.value).splitlines()[1:]]
    assert places == ["cores", "latency_ms.store", "odd", "provenance", "rpcs.status"]


@pytest.mark.skipif(os.geteuid() == 0, reason="everything may be read by its superuser")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('provenance = "x"\n')
    path.chmod(0)
    with pytest.raises(BadInput, match=r"mine.toml: cannot be read: Permission denied"):
        profile_named(path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    with pytest.raises(BadInput, match=r"is no regular file; name a profile file \(\*\.toml\)"):
        profile_named(pipe)


@pytest.mark.parametrize(
    ("name", "meant"),
    [("nominel", "nominal"), ("Nominal", "nominal"), ("live-2-core", "live-2-cores")],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(name, meant):
    with pytest.raises(BadInput, match=f'got "{name}"; did you mean "{meant}"\\?$'):
        profile_named(name)


@pytest.mark.parametrize("name", ["", "fast", "x" * 5_000])
def test_an_unknown_name_is_told_with_all_names(name):
    with pytest.raises(BadInput, match=f"known: {', '.join(profile_names())}$"):
        profile_named(name)


def test_a_name_too_long_for_a_file_is_refused():
    with pytest.raises(BadInput, match=r"cannot be read: File name too long"):
        profile_named("x" * 5_000 + ".toml")


@pytest.mark.parametrize("name", [3, b"nominal", True])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(BadInput, match=r"--profile: must be a name or a file, got"):
        profile_named(name)


VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.floats(), st.sampled_from(["", "one_of", "é"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "values", "low", "weights", "x y"]), inner),
    ),
    max_leaves=5,
)
PLACES = st.sampled_from(
    [
        *("provenance", "cores", "latency_ms", "executor", "rpcs", "command", "odd"),
        *("latency_ms.store", "latency_ms.odd", "executor.call_ms", "rpcs.status"),
        *("command.spawn", "command.spawn.cpu_ms", "core_slice_ms"),
    ]
)


def toml(value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        pairs = [f'"{key}" = {toml(one)}' for key, one in value.items()]
        return f"{{ {', '.join(pairs)} }}"
    return str(value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=PLACES, value=VALUES)
def test_any_value_anywhere_is_read_or_refused_in_words(tmp_path, place, value):
    path = tmp_path / "mine.toml"
    source = "" if place == "provenance" else 'provenance = "x"\n'
    path.write_text(f"{source}{place} = {toml(value)}\n", encoding="utf-8")
    told = ""
    try:
        profile_named(path)
    except BadInput as error:
        told = str(error)
    assert not told or told.startswith(str(path))
    assert not PYDANTICS_OWN.search(told)
