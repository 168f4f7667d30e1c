import re
from dataclasses import replace

import pytest

from harness.report.formats.run_html import run_html
from harness.results.runs import RunReport
from tests.harness.report.strict_page import Page


@pytest.fixture(scope="module")
def page(rich_report):
    return Page(run_html(rich_report))


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
    assert targets
    assert all(target.startswith("#") for target in targets)
    (policy,) = page.found("meta", **{"http-equiv": "Content-Security-Policy"})
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_every_link_leads_to_a_place_on_the_page(page):
    links = [one["href"] for one in page.found("a") + page.found("use")]
    assert {link[1:] for link in links} <= set(page.ids)


def test_the_style_loads_nothing(rich_report):
    style = run_html(rich_report).split("<style>")[1].split("</style>")[0]
    assert re.findall(r"url\(([^)]*)\)", style) == ["#hatch"]
    assert "@import" not in style


def test_every_run_has_a_section_failures_first_and_open(page):
    sections = [one for one in page.found("details") if "data-verdict" in one]
    assert [one["data-verdict"] for one in sections] == [
        *["failed"] * 2,
        *["unknown"] * 2,
        *["passed"] * 4,
    ]
    assert ["open" in one for one in sections] == [True] * 3 + [False] * 5


def test_the_page_tells_what_reviewers_ask_for(page, rich_report, passed_run, deadlocked_run):
    for words in (
        "2 of 8 runs failed",
        "Ten callers of get_client for one user and network share one spawn and one client",
        "10 spawns for (alice, Localnet): client 0 at 0.005 s by ask[alice]#0",
        "harness replay scenarios/same_user_spawns_one_client.toml --seed 7",
        passed_run.digest,
        "Could not run. the system under test ended the interpreter: SystemExit(4)",
        "Deadlock at 5.00 s",
        deadlocked_run.history.deadlock.blocked[2].where,
        rich_report.machine["processor"],
        rich_report.versions["python"],
        "2026-11-22T23:40:00+00:00",
    ):
        assert words in page.text


def test_every_figure_and_table_says_simulated_or_measured(rich_report):
    text = run_html(rich_report)
    marked = re.compile(r'class="badge (simulated|measured)"')
    captions = re.findall(r"<figcaption>.*?</figcaption>|<caption>.*?</caption>", text, re.DOTALL)
    assert len(captions) > 15
    assert [caption for caption in captions if not marked.search(caption)] == []
    tables = re.findall(r'<details class="data"><summary>Operations.*?</summary>', text)
    assert len(tables) == 7
    assert all(marked.search(table) for table in tables)


def test_a_live_run_has_no_simulated_mark(rich_report, live_run):
    sections = run_html(replace(rich_report, runs=(live_run,))).split('id="runs"')[1]
    assert 'class="badge measured"' in sections
    assert 'class="badge simulated"' not in sections


def test_bars_carry_shapes_and_words_and_not_colour_alone(page):
    titles = page.elements.count(("title", {}))
    bars = len([one for one in page.found("rect") if one.get("class") == "bar"])
    assert titles > bars / 2
    assert "table of operations below has the same in words" in str(page.elements)
    assert all("aria-label" in one for one in page.found("svg", role="img"))


def test_text_from_outside_stays_text(hostile_report):
    text = run_html(hostile_report)
    page = Page(text)
    assert page.open == []
    assert page.found("img") == page.found("script") == []
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "{{ 71*73 }}" in page.text
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", text) == []
    assert r"\x00\x1b[31m\ud800\u202e" in page.text


def test_the_same_report_makes_the_same_page(rich_report):
    assert run_html(rich_report) == run_html(rich_report)


def test_a_cap_on_sections_is_stated(rich_report):
    page = Page(run_html(rich_report, sections_max=3))
    assert len([one for one in page.found("details") if "data-verdict" in one]) == 3
    assert "Only 3 runs have a section here, failures first; 5 have none." in page.text


def test_a_cap_on_figures_is_stated(rich_report):
    page = Page(run_html(rich_report, shapes_max=30))
    assert "The figures of this run are left out: the page draws 30 bars at most" in page.text
    # Those of the first two runs, and the locks of the deadlocked one: a table is not drawn.
    assert len(page.found("figure")) == 7


def test_a_cap_on_operations_is_stated(rich_report, live_run):
    operation = live_run.history.operations[0]
    many = tuple(replace(operation, number=number) for number in range(1_500))
    run = replace(live_run, history=replace(live_run.history, operations=many))
    page = Page(run_html(replace(rich_report, runs=(run,))))
    assert "Drawn: 400 of 1,500 operations." in page.text
    assert "Only 400 operations are listed" in page.text


def test_an_empty_report_is_a_page_that_claims_nothing(rich_report):
    page = Page(run_html(replace(rich_report, runs=(), versions={}, machine={}, started_at="")))
    assert "Nothing was run" in page.text
    assert page.found("header", **{"class": "top unknown"})
    assert page.text.count("not recorded") == 2


def test_a_failed_run_has_its_cycle_drawn_and_its_locks_listed(rich_report, passed_run):
    page = Page(run_html(rich_report))
    (cycle,) = page.found("svg", **{"class": "cycle-drawing"})
    assert cycle["aria-label"].startswith("Cycle of 2 tasks: swap[guest-0] waits for Lock Crossed")
    # The deadlocked run's and the untold one's: the other two had no locks that others wait for.
    assert len(page.found("table", **{"class": "contention"})) == 2
    clean = Page(run_html(replace(rich_report, runs=(passed_run,))))
    assert not clean.found("svg", **{"class": "cycle-drawing"})
    assert not clean.found("table", **{"class": "contention"})


@pytest.mark.parametrize(
    ("expected", "kind", "words"),
    [
        ("success", "raised", "raised: NodeUnreachable"),
        ("KeyError", "raised", "raised, expected KeyError: NodeUnreachable"),
        ("NodeUnreachable", "expected", "raised as expected: NodeUnreachable"),
        ("any", "expected", "raised as expected: NodeUnreachable"),
    ],
)
def test_only_an_error_that_its_step_expects_is_called_so(
    parked_run, unreachable, expected, kind, words
):
    raised = replace(unreachable, expected_error=expected)
    history = replace(parked_run.history, operations=(raised,))
    page = Page(run_html(RunReport(runs=(replace(parked_run, history=history),))))
    assert len(page.found("tr", **{"class": kind})) == 1
    assert words in " ".join(page.text.split())
    assert ("raised, as the scenario asked" in page.text) is (kind == "expected")
