"""What a search can still judge: what holds whatever it does, and nothing else."""

from __future__ import annotations

import textwrap

import pytest

from harness.history.records import Fault, History, NodeKind
from harness.runs.under_search import Search
from harness.scenario.reading import read_scenario

TEXT = """
    claim = "It works."
    users = { count = 2 }
    [[phase]]
    name = "one"
    [[phase.do]]
    id = "ask"
    call = "get_client"
    user = "each"
    with.network = "Localnet"
    times = 2
    START
    [check]
    no_deadlock = { within_s = 5 }
    single_spawn = { exactly = 1 }
    same_result = { of = "ask" }
    peak_in_flight = { command = "spawn", at_least = 2 }
    result = { of = "ask", path = "", count = 2 }
"""
FAULT = Fault(at_s=0.1, point="sync.before", kind="fail", key={})


@pytest.fixture
def judged(tmp_path):
    def judged(*faults, may_fail, start=""):
        path = tmp_path / "it.toml"
        path.write_text(textwrap.dedent(TEXT).replace("START", start), encoding="utf-8")
        scenario = read_scenario(path)
        history = History(node=NodeKind.SIMULATED, faults=faults)
        search = Search.of(scenario, faults=may_fail)
        return {
            one.name: one.parameters for one in search.judges(scenario.checks["simulated"], history)
        }

    return judged


def test_stretched_latencies_are_no_reason_to_accuse(judged):
    assert "peak_in_flight" not in judged(may_fail=False)
    assert {"no_deadlock", "single_spawn", "same_result", "result"} <= judged(may_fail=False).keys()


def test_what_rests_on_success_is_not_judged_once_something_went_wrong(judged):
    found = judged(FAULT, may_fail=True)
    assert not {"outcomes", "same_result", "result"} & found.keys()
    assert {"no_deadlock", "single_spawn", "end_state", "no_leaks"} <= found.keys()


def test_a_run_in_which_nothing_went_wrong_is_judged_in_full(judged):
    assert judged(may_fail=True) == judged(may_fail=False)


def test_who_died_is_started_again_but_never_two_at_once(judged):
    parameters = judged(FAULT, may_fail=True)["single_spawn"]
    assert parameters.exactly == "any"
    assert not parameters.overlap


def test_deadlines_of_the_service_itself_may_be_long_when_it_hangs(judged):
    assert judged(may_fail=True)["no_deadlock"].within_s == 5
    assert judged(FAULT, may_fail=True)["no_deadlock"].within_s > 60


def test_results_that_rest_on_fixed_waits_are_not_judged(judged):
    assert "result" not in judged(may_fail=False, start="repeat = { times = 2, gap_ms = 50 }")


def test_what_no_run_judges_is_named_and_told_from_what_is_not_asked_for(tmp_path):
    def scenario(checks):
        path = tmp_path / "it.toml"
        text = textwrap.dedent(TEXT).replace("START", "").partition("[check]")[0]
        path.write_text(f"{text}[check]\n{checks}", encoding="utf-8")
        return read_scenario(path).checks["simulated"]

    search = Search()
    timed = 'peak_in_flight = { command = "spawn", at_least = 2 }\n'
    assert search.leaves_out(scenario(timed)) == ("peak_in_flight",)
    assert search.judges_none_asked(scenario(timed))
    assert not search.judges_none_asked(scenario(timed + "no_deadlock = { within_s = 5 }\n"))
    assert not search.judges_none_asked(scenario(""))
    result = scenario('result = { of = "ask", path = "", count = 2 }\n')
    assert not search.judges_none_asked(result)
    assert Search(delays=True).leaves_out(result) == ("result",)
