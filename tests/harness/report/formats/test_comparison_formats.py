"""A comparison as text, Markdown and JSON: the worst first, nothing left out, nothing broken."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.report.formats.comparison_json import comparison_json
from harness.report.formats.comparison_markdown import comparison_markdown
from harness.report.formats.comparison_terminal import LINES_MAX, comparison_terminal
from harness.results.comparisons import (
    COMPARISON_VERSION,
    Comparison,
    Measured,
    Simulated,
    VerdictChange,
    Way,
)
from harness.results.verdict import Verdict

NASTY = "a|b`<script>\x1b[31m\n\ud800"


def simulated(way=Way.SLOWER, *, what="elapsed", old=1.0, new=1.05, unit="s", more=5, less=0):
    return Simulated(
        scenario="sale", what=what, way=way, unit=unit, old=old, new=new, seed=3, seeds=5,
        more=more, less=less,
    )  # fmt: skip


@pytest.fixture
def found():
    """Return a comparison with something of every kind."""
    return Comparison(
        old="before",
        new="after",
        runs=7,
        equal=2,
        verdicts=(
            VerdictChange(
                scenario="cart", node="simulated", seeds=(0, 1), old=Verdict.PASSED,
                new=Verdict.FAILED, checks=(("distinct_results", "passed", "failed"),),
            ),
            VerdictChange(
                scenario="desk", node="live", seeds=(4,), old=Verdict.FAILED, new=Verdict.PASSED
            ),
        ),
        simulated=(
            simulated(Way.FASTER, what="p50 of buy", new=0.5, more=0, less=5),
            simulated(),
            simulated(Way.CHANGED, what="samples of buy", old=3.0, new=None, unit="", more=0),
        ),
        measured=(
            Measured(
                scenario="sale", what="CPU of a run", way=Way.SLOWER, unit="s", old=0.02,
                new=0.0212, ratio=1.06, low=1.04, high=1.08, samples=9,
            ),
            Measured(
                scenario="desk", what="CPU of a run", way=Way.UNKNOWN, unit="s", old=0.02, new=0.02,
                ratio=1.0, samples=2, why="2 rounds are too few; give more --budget",
            ),
        ),
        notes=("machine: cores 2 → 4",),
    )  # fmt: skip


def test_the_terminal_says_what_fails_now_then_what_got_slower_and_the_summary_last(found):
    assert comparison_terminal(found).splitlines() == [
        "FAILED cart [simulated, seeds 0, 1]: passed → failed; distinct_results passed → failed",
        "PASSED desk [live, seed 4]: failed → passed",
        "SLOWER sale [simulated] elapsed: 1.00 s → 1.05 s (+5.0 %, with seed 3; more in 5 of 5"
        " seeds)",
        "SLOWER sale [measured] CPU of a run: 20.0 ms → 21.2 ms (+6.0 %, between +4.0 % and +8.0 %;"
        " 9 samples)",
        "FASTER sale [simulated] p50 of buy: 1.00 s → 500 ms (-50.0 %, with seed 3; less in 5 of 5"
        " seeds)",
        "CHANGED sale [simulated] samples of buy: 3 → none (with seed 3; not in all of 5 seeds)",
        "UNKNOWN desk [measured] CPU of a run: 20.0 ms → 20.0 ms (2 rounds are too few; give more"
        " --budget)",
        "note: machine: cores 2 → 4",
        "7 runs compared; 2 equal to the last step; passed now: 1; failed now: 2; figures: 2"
        " slower, 1 faster, 1 changed, 1 unknown",
    ]


def test_of_a_scenario_of_many_changes_the_largest_are_shown_and_the_rest_counted(found):
    many = replace(found, simulated=(simulated(),) * (LINES_MAX + 3))
    text = comparison_terminal(many)
    assert text.count("SLOWER sale [simulated] elapsed") == LINES_MAX
    assert "SLOWER sale [simulated] 3 figures more; --json lists all" in text
    assert comparison_markdown(many).count("| slower | sale | elapsed |") == LINES_MAX + 3


def test_markdown_has_each_verdict_figure_and_note_in_a_row(found):
    text = comparison_markdown(found)
    assert text.startswith("# harness compare: ❌ something got slower, or fails now\n")
    for row in (
        "| cart | simulated, seeds 0, 1 | ❌ passed → failed; distinct\\_results passed → failed |",
        "| slower | sale | elapsed | 1.00 s | 1.05 s | +5.0 %, 5 more, 0 less of 5 | simulated |",
        "| slower | sale | CPU of a run | 20.0 ms | 21.2 ms | +6.0 % (+4.0 % to +8.0 %; 9 samples)"
        " | measured |",
        "- machine: cores 2 → 4",
    ):
        assert row in text.splitlines(), text


def test_markdown_keeps_to_its_size_and_says_what_is_left_out(found):
    many = replace(found, simulated=(simulated(),) * 1_000)
    text = comparison_markdown(many, size_bytes_max=20_000)
    assert len(text.encode()) <= 20_000
    assert "**Left out for size:**" in text


def test_json_has_every_field_and_the_verdict(found):
    document = json.loads(comparison_json(found))
    assert document["comparison_version"] == COMPARISON_VERSION
    assert document["verdict"] == "failed"
    assert document["verdicts"][0]["checks"] == [["distinct_results", "passed", "failed"]]
    assert [one["way"] for one in document["simulated"]] == ["faster", "slower", "changed"]
    assert document["measured"][0]["low"] == 1.04


def test_a_text_from_outside_breaks_no_line_and_no_table(found):
    nasty = replace(found, old=NASTY, notes=(NASTY,), verdicts=(
        replace(found.verdicts[0], scenario=NASTY, why=NASTY),
    ))  # fmt: skip
    lines = comparison_terminal(nasty).splitlines()
    assert len(lines) == len(comparison_terminal(found).splitlines()) - 1
    text = comparison_markdown(nasty)
    assert not set(text) & {"\x1b", "\ud800"}
    (row,) = [line for line in text.splitlines() if "seeds 0, 1" in line]
    assert row.replace("\\|", "").count("|") == 4
    assert json.loads(comparison_json(nasty))["old"] == NASTY


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.FAILED),
        ({"verdicts": ()}, Verdict.FAILED),
        ({"verdicts": (), "simulated": ()}, Verdict.FAILED),
        ({"verdicts": (), "simulated": (), "measured": ()}, Verdict.PASSED),
        ({"verdicts": (), "simulated": (), "measured": (), "unknown": ("x",)}, Verdict.UNKNOWN),
    ],
)
def test_only_what_got_slower_or_fails_is_red_and_unknown_is_not_green(found, change, verdict):
    assert replace(found, **change).verdict is verdict


def test_a_figure_that_noise_hides_is_unknown(found):
    calm = replace(found, verdicts=(), simulated=(), measured=found.measured[1:])
    assert calm.verdict is Verdict.UNKNOWN
