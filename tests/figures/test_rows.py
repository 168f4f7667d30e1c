"""The promised figures that every change must meet, and how figures are listed and compared."""

from __future__ import annotations

import ast
import itertools
import re

import pytest

from tests.figures.__main__ import main
from tests.figures.correct import PUBLIC
from tests.figures.figure import Figure, Options
from tests.figures.ratio import compared, ratio_of
from tests.figures.rows import ROWS, When
from tests.there import there

HERE = [name for name, row in ROWS.items() if row.when is When.EVERY_CI and row.ci == "unit"]


@pytest.mark.parametrize("name", HERE)
def test_a_figure_of_every_ci_meets_its_bound(name):
    found = ROWS[name].measure(Options())
    assert found.met, f"{found.value}; bound: {ROWS[name].bound}"


def test_without_an_argument_the_rows_are_listed_with_who_measures_them(capsys):
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(f"{name} [{row.when}" in told for name, row in ROWS.items())
    assert "circles [every CI, by tox -e unit]" in told


def test_a_row_tells_its_figure_against_its_bound(capsys):
    assert main(["circles"]) == 0
    assert capsys.readouterr().out.startswith("MET circles: modules, and packages, that import")


@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1), (None, 3)])
def test_a_missed_bound_is_1_and_what_only_a_person_knows_is_3(monkeypatch, met, code):
    row = ROWS["circles"]
    changed = type(row)(
        name="x", text="x", bound="y", when=row.when,
        measure=lambda _options: Figure(value="z", met=met),
    )  # fmt: skip
    monkeypatch.setitem(ROWS, "x", changed)
    assert main(["x"]) == code


@pytest.mark.parametrize(
    ("asked", "told"),
    [(["nothing"], "no row is called nothing; there are"), (["x", "--pairs", "5"], "at least 6")],
)
def test_a_row_that_is_not_there_and_too_few_pairs_are_refused(asked, told, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(asked)
    assert told in capsys.readouterr().err


def test_the_interval_of_a_median_is_that_of_the_ranks():
    # For 20 of them it is from the sixth to the fifteenth: see any table of the sign test.
    found = ratio_of([float(number) for number in range(1, 21)])
    assert (found.low, found.median, found.high) == (6.0, 10.5, 15.0)
    assert (ratio_of([1.0] * 5 + [9.0]).low, ratio_of([1.0] * 5 + [9.0]).high) == (1.0, 9.0)


def test_five_pairs_are_too_few():
    with pytest.raises(ValueError, match="at least 6"):
        ratio_of([1.0] * 5)


def test_pairs_are_measured_by_turns_each_side_first_as_often():
    order = []
    speed = itertools.count(1)

    def side(name, factor):
        order.append(name)
        return factor * there(next(speed))

    found = compared(lambda: side("a", 1), lambda: side("b", 2), pairs=6, warm=False)
    assert order == ["b", "a", "a", "b"] * 3
    # The machine got slower all the time, which touches both sides.
    assert found.low < 2 < found.high


def test_what_the_users_of_public_code_need_is_pinned():
    lines = (PUBLIC / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9-]+==[0-9.]+", line) for line in lines)


def test_there_are_many_users_of_public_code():
    """They are counted without their libraries, which the tests do not have."""
    names = [
        one.name
        for path in PUBLIC.glob("*.py")
        for one in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(one, ast.AsyncFunctionDef) and not one.name.startswith("_")
    ]
    assert len(names) == len(set(names)) >= 70
