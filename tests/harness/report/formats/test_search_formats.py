import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from harness.errors import BadInput
from harness.report.figures.coverage_plot import coverage_plot
from harness.report.folder import SEARCH_FILES, write_search_folder
from harness.report.formats import search_html as page_module
from harness.report.formats.search_html import search_html
from harness.report.formats.search_json import search_json
from harness.report.formats.search_junit import search_junit
from harness.report.formats.search_markdown import search_markdown
from harness.report.formats.search_terminal import failure_lines, search_lines
from harness.results.explorations import RESULT_VERSION, Exploration, ExplorationReport
from harness.results.plain_record import from_plain
from harness.results.schedule import Schedule
from tests.harness.report.strict_page import Page
from tests.there import there


@pytest.fixture(scope="module")
def page(exploration_report):
    return Page(search_html(exploration_report))


def one_failure(exploration, **others):
    failure = replace(exploration.failures[0], **others)
    return ExplorationReport(explorations=(replace(exploration, failures=(failure,)),))


def test_every_element_is_closed_and_every_id_is_unique(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_nothing_from_outside_and_runs_nothing(page):
    assert page.found("script") == page.found("link") == page.found("img") == []
    targets = [
        value
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in {"src", "href", "action", "data"} or name.startswith("on")
    ]
    assert {target[0] for target in targets} == {"#"}
    assert {target[1:] for target in targets} <= set(page.ids)


def test_every_marker_that_an_arrow_ends_in_is_on_the_page(page):
    ends = {one["marker-end"] for _, one in page.elements if "marker-end" in one}
    assert ends == {"url(#head-wake)", "url(#head-cycle)"}
    assert {end[5:-1] for end in ends} <= set(page.ids)


def test_failures_come_first_and_what_was_not_run_is_not_green(page):
    rows = [one["data-verdict"] for one in page.found("tr") if "data-verdict" in one]
    assert rows == ["failed", "unknown", "passed"]
    assert "2 failures found in 3 scenarios" in page.text
    assert "the system asks for what a simulation has not" in page.text


def test_a_clean_search_claims_no_more_than_it_proved(proven, refused, found):
    clean = replace(found, failures=(), mode="production")
    text = Page(search_html(ExplorationReport(explorations=(proven, clean, refused)))).text
    assert "No failure found in 2 of 3 scenarios, 1 of them proven up to their bound" in text


def test_a_failure_has_its_replay_line_and_what_shrinking_did(page, sold_twice, dined):
    for one in (sold_twice, dined):
        assert f"harness replay {one.token}" in page.text
        assert f"{one.deviations_before} → {one.deviations}" in page.text
        assert f"run {one.runs_to_find}, by {one.found_by}" in page.text
    assert (dined.deviations, sold_twice.operations) == (3, 3)
    assert "8 → 3" in page.text
    assert "raised SoldTwice: ticket 1" in page.text


def test_a_failure_has_its_drawings(page, cycle_history):
    words = page.text
    for part in ("Schedule", "Passing against failing", "Locks and who waited", "Deadlock at"):
        assert part in words
    assert len(page.found("svg", **{"class": "cycle-drawing"})) == 1
    assert cycle_history.lock_holds[0].held_await in words


def test_what_was_found_against_asyncios_order_is_labelled(page):
    assert page.text.count("adversarial only") == 1


def test_an_empty_schedule_is_told_and_not_drawn(found):
    page = Page(search_html(one_failure(found, schedule=Schedule(steps=()), passing=None)))
    assert "empty: nothing ran" in page.text


def test_thousands_of_steps_make_a_page_of_modest_size(found, large_schedule):
    text = search_html(one_failure(found, schedule=large_schedule))
    assert len(text) < 400_000
    assert f"of {len(large_schedule.steps):,} steps" in Page(text).text


def test_failures_over_the_cap_are_told_without_a_drawing(found, monkeypatch):
    monkeypatch.setattr(page_module, "FAILURES_MAX", 1)
    page = Page(search_html(ExplorationReport(explorations=(found,))))
    assert "left out: the page draws 1 failures" in page.text
    assert len(page.found("svg", **{"class": "schedule-lanes"})) == 1


def test_hostile_text_is_shown_and_never_markup(hostile_exploration):
    report = ExplorationReport(explorations=(hostile_exploration,), started_at="<b>")
    text = search_html(report)
    page = Page(text)
    assert page.open == []
    assert page.found("script") == page.found("img") == page.found("b", id="x") == []
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "5183" not in page.text
    assert "{{ 71*73 }}" in page.text


def test_no_explorations_make_a_page_that_claims_nothing():
    page = Page(search_html(ExplorationReport(explorations=())))
    assert "Nothing was searched" in page.text
    assert page.found("header", **{"class": "top unknown"})


def test_the_coverage_curve_says_what_was_new_at_the_end(found):
    plot = there(coverage_plot(found))
    before = max(distinct for runs, distinct in found.coverage if runs <= 180)
    assert plot.words == (
        f"{found.distinct} distinct partial orders in 200 runs; "
        f"{found.distinct - before} of them new in the last 20 runs"
    )
    assert plot.failures == tuple(
        (plot.axis.at(one.runs_to_find), f"run {one.runs_to_find}: {one.headline}")
        for one in found.failures
    )
    assert coverage_plot(replace(found, coverage=())) is None


def test_the_coverage_curve_rises_to_the_top_and_never_falls(found):
    curve = there(coverage_plot(found)).curve
    heights = [float(one) for one in re.findall(r"L[\d.]+ ([\d.]+)", curve)]
    assert heights == sorted(heights, reverse=True)
    assert heights[-1] == 6.0


def test_markdown_tells_failures_first_and_keeps_to_its_size(exploration_report, found):
    text = search_markdown(exploration_report)
    assert text.startswith("# harness explore: ❌ failed\n\n3 scenarios searched, 2 failures")
    assert text.index("## Failures") < text.index("## Searches")
    assert f"replay: {found.failures[0].replay}" in text
    assert exploration_report.explorations[0].bounds_text[0] in text
    small = search_markdown(exploration_report, size_bytes_max=7_000)
    assert len(small.encode()) <= 7_000
    assert "Left out for size:** 2 failures." in small


def test_junit_has_a_case_a_scenario_and_a_failure_a_failure(exploration_report, found):
    root = ET.fromstring(search_junit(exploration_report).encode())
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == list("3110")
    cases = {one.get("name"): one for one in root.iter("testcase")}
    failed = cases["fair[portfolio, seed 48151]"]
    causes = [one.get("type") for one in failed.findall("failure")]
    assert causes == [one.cause for one in found.failures] == ["outcomes", "no_deadlock, run"]
    assert "replay: harness replay" in there(failed.findtext("failure"))
    unknown = cases["calls_out[portfolio, seed 48151]"]
    assert "the system asks for what a simulation has not" in there(
        there(unknown.find("error")).get("message")
    )
    assert cases["two_buyers[exhaustive, seed 48151]"].find("failure") is None


def test_the_document_holds_every_exploration_as_it_is_read_back(exploration_report):
    document = json.loads(search_json(exploration_report))
    assert document["verdict"] == "failed"
    one = document["explorations"][1]
    assert (one.pop("verdict"), one.pop("proven")) == ("failed", False)
    assert (one.pop("health"), one.pop("budget")) == ([], 10_000_000)
    assert document["result_version"] == RESULT_VERSION
    assert from_plain(Exploration, one, where="document") == exploration_report.explorations[1]


def test_the_terminal_gets_the_verdict_the_replay_line_and_the_schedule(found):
    lines = search_lines(found)
    assert lines[0].startswith(
        "FAILED fair [portfolio, adversarial, seed 48151]"
        f" {found.distinct} distinct partial orders in 200 runs, 2 failures"
    )
    assert f"    replay: harness replay {found.failures[0].token}" in lines
    assert any(line.strip() == "* ran ahead of executor 1.2.p2" for line in lines)
    assert "  the same for 10 steps, then they part" in [line[2:] for line in lines]


def test_only_what_needs_another_order_than_asyncios_is_called_adversarial(dined, sold_twice):
    told = [failure_lines(one)[0].endswith(" [adversarial only]") for one in (dined, sold_twice)]
    assert told == [True, False]


def test_a_deadlock_is_told_once(dined):
    told = [line.strip() for line in failure_lines(dined)]
    assert sum(line.startswith("dine[guest-0] waits for") for line in told) == 1
    message = ("dine[guest-0] waits for Lock Fair._forks[1]",)
    # No check judges a program: its message says who waits.
    program = replace(dined, checks=(), message_lines=message)
    told = [line.strip() for line in failure_lines(program)]
    assert sum(line.startswith("dine[guest-0] waits for") for line in told) == 1


def test_of_a_scenario_the_checks_do_not_tell_who_is_blocked(dined, sold_twice):
    message = ("no_deadlock: expected an end, saw none", "ask (t1)")
    failure = replace(dined, message_lines=message, checks=sold_twice.checks)
    told = [line.strip() for line in failure_lines(failure)]
    assert sum(line.startswith("dine[guest-0] waits for") for line in told) == 1


def test_no_line_of_a_failure_repeats_another(sold_twice):
    check = sold_twice.checks[2]
    assert (check.name, check.verdict) == ("outcomes", "failed")
    message = (
        "single_spawn: expected 1, saw 2 spawns: c1 at 1 s",
        "2 spawns: c1 at 1 s",
        "no_deadlock: expected an end, saw 1 late",
        "ask (t1)",
        "outcomes: expected success, saw none",
        "ask (t1): expected success, unfinished",
    )
    checks = (
        replace(check, name="elapsed", why="x was held"),
        replace(check, name="overlap", why="x was held"),
        replace(check, name="outcomes", why="unfinished"),
    )
    failure = replace(sold_twice, headline=message[0], message_lines=message, checks=checks)
    told = failure_lines(failure)
    assert [line.strip() for line in told[:4]] == [message[0], message[2], message[4], message[5]]
    assert [line.strip() for line in told if "why" in line] == [
        "why (elapsed, overlap): x was held"
    ]


def test_a_program_without_operations_has_none_to_shrink(sold_twice):
    shrunk = f"to 1 deviation (from {sold_twice.deviations_before}) and 3 operations (from 8)"
    assert shrunk in "".join(failure_lines(sold_twice))
    program = replace(sold_twice, operations=0, operations_before=0)
    assert not any("operations" in line for line in failure_lines(program))


def test_all_four_files_are_written_and_hostile_text_breaks_none(tmp_path, hostile_exploration):
    report = ExplorationReport(explorations=(hostile_exploration,))
    paths = write_search_folder(report, tmp_path / "deep" / "report")
    assert [path.name for path in paths] == list(SEARCH_FILES)
    ET.parse(tmp_path / "deep" / "report" / "junit.xml")
    assert json.loads((tmp_path / "deep" / "report" / "exploration.json").read_text())
    assert all(line.isprintable() for line in search_lines(hostile_exploration))


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, exploration_report):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(BadInput, match="report: must be a directory that can be made, got: File"):
        write_search_folder(exploration_report, tmp_path / "report")


def test_a_search_with_chaos_says_so_everywhere(proven):
    one = replace(proven, chaos=True)
    report = ExplorationReport(explorations=(one,))
    assert search_lines(one)[0].startswith("PASSED two_buyers [exhaustive, chaos, seed 48151]")
    assert "| exhaustive (chaos), seed 48151 |" in search_markdown(report)
    assert ">chaos</span>" in search_html(report)
    assert json.loads(search_json(report))["explorations"][0]["chaos"] is True
