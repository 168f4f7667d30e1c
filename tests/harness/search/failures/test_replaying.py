"""A token repeats its failure, or it is said why not; regressions stay mended."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BadInput, CouldNotRun
from harness.report.text.replay_lines import replay_lines
from harness.search.failures import regressions
from harness.search.failures.investigation import carry_out
from harness.search.failures.regressions import (
    read_regression,
    regressions_of,
    replay_regression,
    save_regression,
)
from harness.search.failures.replaying import ReplayOutcome, replay, subject_of_token
from harness.search.failures.token import Token
from harness.search.pieces.plan import SearchPlan
from harness.search.pieces.running import run_search
from tests.harness.search.silent_watcher import Silent
from tests.there import there

SOUND = "exploring_shop:SoundShop"


@pytest.fixture
def failure(pay):
    end = run_search(SearchPlan(scenarios=(pay,), runs=100, jobs=1, first=True), Silent())
    return end.report.explorations[0].failures[0]


@pytest.fixture
def token(failure):
    return Token.read(failure.token)


def replayed(token, **options):
    return replay(token, subject_of_token(token, **options))


def test_a_failure_fails_again_in_the_same_way(token):
    found = replayed(token)
    assert (found.outcome, found.exit_code) == (ReplayOutcome.SAME_FAILURE, 1)
    assert found.parted is None
    assert found.sentence == "failed in the same way"
    text = "\n".join(replay_lines(found.result))
    assert "bob overtook alice" in text
    assert "task-1" in text


def test_a_failure_that_was_mended_says_that_the_code_has_changed(token):
    found = replayed(replace(token, code="0" * 16), system=SOUND)
    assert (found.outcome, found.exit_code) == (ReplayOutcome.PASSES_NOW, 0)
    assert re.fullmatch(
        r"did not fail: the code has changed \(fingerprint 0{16} then, [0-9a-f]{16} now\);"
        r" (the run first differs between steps \d+ and \d+|its order of events is the same)"
        r"(; sets of texts had a random order then: find it again with PYTHONHASHSEED=0)?",
        found.sentence,
    )


def test_the_same_code_that_does_not_fail_is_not_deterministic(token):
    # The file that holds both is the same: only the class is another.
    found = replayed(token, system=SOUND)
    assert (found.outcome, found.exit_code) == (ReplayOutcome.NOT_DETERMINISTIC, 3)
    assert found.sentence.startswith("did not fail, with the same code: not deterministic")


def test_another_failure_than_the_tokens_is_told_as_one(token):
    found = replayed(replace(token, cause="elapsed"))
    assert (found.outcome, found.exit_code) == (ReplayOutcome.OTHER_FAILURE, 1)
    assert "failed, but in another way" in found.sentence


def test_a_run_that_took_another_way_says_between_which_steps(token):
    moved = tuple(one ^ (number > 0) for number, one in enumerate(token.checkpoints))
    found = replayed(replace(token, checkpoints=moved))
    assert "the run first differs between steps 2 and 4" in found.sentence


def test_a_token_whose_scenario_is_not_here_is_refused(token):
    gone = replace(token, subject="scenarios/gone.toml")
    with pytest.raises(BadInput, match=r"is of scenarios/gone\.toml, which is not here; call"):
        subject_of_token(gone)


def test_a_token_of_a_program_says_how_it_is_repeated(token):
    with pytest.raises(BadInput, match='of the program "main"; repeat it in its test: pytest'):
        subject_of_token(replace(token, subject="main"))


def test_a_saved_failure_is_read_as_it_was_and_saved_once(failure, pay):
    path = there(save_regression(failure, pay, found="by a test"))
    assert path.parent == Path("scenarios/regressions")
    saved = read_regression(path)
    assert (str(saved.token), saved.cause, saved.found) == (
        failure.token,
        failure.cause,
        "by a test",
    )
    assert saved.scenario == Path("scenarios/pay.toml")
    assert save_regression(failure, pay, found="by a test") is None


def test_a_folder_of_ones_own_keeps_the_way_to_the_scenario(failure, pay, shop):
    kept = shop / "kept" / "here"
    path = there(save_regression(failure, pay, folder=kept, found="by a test"))
    assert read_regression(path).scenario.resolve() == (shop / "scenarios" / "pay.toml").resolve()
    assert len(regressions_of([pay], folder=kept)) == 1


def test_a_regression_fails_on_the_broken_shop_and_passes_on_the_sound_one(failure, pay):
    one = read_regression(there(save_regression(failure, pay, found="by a test")))
    again = there(replay_regression(one, system=None))
    assert again.cause == failure.cause
    assert again.found_by == f"regression {one.path.name}"
    assert replay_regression(one, system=SOUND) is None


def test_regressions_of_other_scenarios_are_left_alone(failure, pay):
    save_regression(failure, pay, found="by a test")
    assert len(regressions_of([pay])) == 1
    assert regressions_of([replace_path(pay)]) == ()


def test_what_is_no_file_is_no_regression(pay):
    (Path("scenarios/regressions") / "folder.toml").mkdir(parents=True)
    with pytest.raises(BadInput, match=r"folder\.toml: must be a file of text"):
        regressions_of([pay])


def test_a_regression_whose_run_proves_nothing_does_not_pass(failure, pay, monkeypatch):
    one = read_regression(there(save_regression(failure, pay, found="by a test")))

    def unknown(subject, tape):
        return replace(carry_out(subject, tape), failure=None, unknown="no evidence")

    monkeypatch.setattr(regressions, "carry_out", unknown)
    with pytest.raises(CouldNotRun, match=r"pay-.*toml: could not be replayed: no evidence"):
        replay_regression(one, system=None)


def replace_path(scenario):
    return scenario.model_copy(update={"path": "elsewhere/other.toml"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"token": None}, "token must be a text, got None; a regression has scenario, token"),
        ({"token": '"mh1-abc"'}, "token: is damaged"),
        ({"token": '"mh0-abc"'}, "is of another version of the harness"),
        ({"token": '"x"'}, "must begin with mh1-"),
        ({"scenario": '"../gone.toml"'}, 'scenario must be a file, .* got "../gone.toml"'),
        ({"extra": '"x"'}, "extra: no such key; a regression has"),
        ({"cause": "3"}, "cause must be a text, got 3"),
        ({"cause": "]["}, "is not TOML"),
        ({"found": "[" * 5_000}, "is nested too deeply|is not TOML"),
        ({"scenario": f'"{"x" * 9_000}"'}, 'scenario must be a file, .* got "x+'),
        ({"scenario": '"../exploring_shop.py"'}, "scenario must be a file"),
        (
            {"scenario": '"../../exploring_shop.py"'},
            "token must be of its scenario, exploring_shop.py, got one of scenarios/pay.toml",
        ),
    ],
    ids=str,
)
def test_a_broken_regression_is_refused_with_where_and_why(failure, pay, changes, told):
    path = there(save_regression(failure, pay, found="by a test"))
    values = {}
    for line in path.read_text("utf-8").splitlines():
        key, value = line.split(" = ", 1)
        values[key] = value
    values |= changes
    path.write_text(
        "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None),
        encoding="utf-8",
    )
    with pytest.raises(BadInput, match=told) as caught:
        regressions_of([pay])
    assert str(caught.value).startswith("/") or "regressions/pay-" in str(caught.value)
