"""Example values by name, annotation and default, and values as TOML reads them back."""

from __future__ import annotations

import tomllib
from datetime import date, time
from inspect import Parameter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.drafts.examples import example_of
from harness.drafts.toml_values import can_be_written, written
from tests.there import there


def parameter(name, annotation=Parameter.empty, default=Parameter.empty):
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def example(*given, **options):
    return there(example_of(parameter(*given), {}, **options))


@pytest.mark.parametrize("name", ["user", "user_id", "userId", "username", "owner", "buyer_name"])
def test_names_for_who_calls_are_the_user(name):
    assert example(name, "str").value == "{user}"
    assert example(name).value == "{user}"
    assert example(name, "str | None", None).value == "{user}"
    assert example(name, "int").value == 1
    assert example(name, "str", has_caller=False).value == name


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("str", "thing"), ("int", 1), ("float", 1.0), ("bool", True), ("list[str]", ["thing"]),
        ("list", ["thing"]), ("dict[str, int]", {"key": 1}), ("tuple[int, ...]", [1]),
        ("None | int", 1), ("bytes | str", "thing"), ("'str'", "thing"),
        (list[list[int]], [[1]]), (date, date(2030, 1, 1)), (time, time(12)),
    ],
    ids=str,
)  # fmt: skip
def test_an_annotation_gives_a_value_of_its_type(annotation, value):
    found = example("thing", annotation)
    assert (found.value, found.guess) == (value, "")


@pytest.mark.parametrize(
    "annotation",
    ["bytes", "object", "set[int]", "Nowhere", "complex", "list[bytes]", "1 +", "Any", "type"],
)
def test_what_toml_has_not_or_nobody_knows_is_a_guess(annotation):
    found = example("thing", annotation)
    assert found.value == "thing"
    assert found.guess


@pytest.mark.parametrize(
    ("default", "kept"),
    [
        (3, True), ("x", True), ([1, "a"], True), ({"a": 1}, True), (False, True), (None, False),
        (float("nan"), False), (b"x", False), (object(), False), ("$x", False), (["{user}"], False),
        ("x" * 100, False), ("\ud800", False), (2**70, False), ((1,), False), ({1: 2}, False),
    ],
    ids=lambda value: repr(value)[:12],
)  # fmt: skip
def test_a_default_is_shown_if_it_means_the_same_in_a_scenario(default, kept):
    found = example_of(parameter("thing", "Any", default), {})
    assert (found is not None and found.value == default) is kept


SCALARS = (
    st.text() | st.integers() | st.floats() | st.booleans() | st.dates() | st.times()
    | st.datetimes() | st.none() | st.binary()
)  # fmt: skip


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_can_be_written_is_read_back_equal(value):
    if can_be_written(value):
        assert tomllib.loads(f"value = {written(value)}") == {"value": value}


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-(2**63) + 1, 2**63 - 1))
def test_every_text_and_every_number_of_toml_can_be_written(value):
    assert can_be_written(value)


@given(st.text())
def test_a_text_is_written_on_one_line_without_what_nobody_sees(value):
    assert written(value).isprintable() or not can_be_written(value)
