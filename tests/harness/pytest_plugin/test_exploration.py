"""Searching from pytest: scenario files, coroutine functions, tokens, and regressions as tests."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from harness.api.exploration import explore
from harness.errors import BadInput, FailureFound
from tests.harness.pytest_plugin.running import run
from tests.harness.shop import SHOP, paying_at

TESTS = """\
import asyncio


def test_overtaken(explore):
    async def main():
        async def stop(number):
            await asyncio.sleep(0.001)
            ended.append(number)

        ended = []
        await asyncio.gather(stop(1), stop(2), stop(3))
        assert ended != [2, 3, 1]

    explore(main, runs=500, adversarial=True)


def test_sound(explore):
    async def main():
        await asyncio.sleep(1)

    assert explore(main, runs=20, allow=["one_order"]).runs == 20


def test_wait(explore):
    async def main():
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))

    explore(main, runs=20)
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "pay.toml").write_text(paying_at("plugin_shop"), encoding="utf-8")
    (tmp_path / "plugin_shop.py").write_text(SHOP, encoding="utf-8")
    (tmp_path / "test_orders.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    return tmp_path


def token_in(text):
    return re.findall(r"mh1-[\w-]+", text)[0]


def test_a_collected_scenario_is_searched_and_its_token_replayed(project):
    done = run(project, "scenarios", "--harness-explore", "--harness-explore-runs", "100")
    assert done.returncode == 1
    for word in ("bob overtook alice", "schedule:", "replay: harness replay mh1-"):
        assert word in done.stdout
    again = run(project, "scenarios", "--harness-replay", token_in(done.stdout))
    assert again.returncode == 1
    assert "failed in the same way" in again.stdout
    sound = ("--harness-system", "plugin_shop:SoundShop")
    assert run(project, "scenarios", "--harness-explore", *sound).returncode == 0


def test_a_coroutine_function_is_searched_under_xdist_and_its_token_replayed(project):
    done = run(project, "test_orders.py", "-n", "2")
    assert done.returncode == 1, done.stdout
    assert "2 failed, 1 passed" in done.stdout
    assert "one_order: all runs took one order" in done.stdout
    for word in (
        "[adversarial only]",
        "ran ahead of",
        "AssertionError",
        "replay: pytest --harness-replay",
    ):
        assert word in done.stdout
    again = run(project, "test_orders.py", "--harness-replay", token_in(done.stdout))
    assert "1 failed, 2 skipped" in again.stdout
    assert "failed in the same way" in again.stdout


def test_the_options_of_the_session_are_the_defaults_of_a_search(project):
    (project / "test_orders.py").write_text(
        "import asyncio\n"
        "def test_it(explore):\n"
        "    async def main():\n"
        "        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))\n"
        "    found = explore(main)\n"
        "    assert (found.runs, found.strategy, found.seed) == (7, 'random', 3)\n"
        "    assert (found.mode, found.cancel) == ('adversarial', True)\n"
        "    assert found.allowed == ('one_order',)\n",
        encoding="utf-8",
    )
    options = (
        "--harness-explore-runs",
        "7",
        "--harness-explore-strategy",
        "random",
        "--harness-explore-adversarial",
        "--harness-explore-cancel",
        "--harness-explore-allow",
        "one_order",
    )
    done = run(project, "test_orders.py", "--harness-seed", "3", *options)
    assert done.returncode == 0, done.stdout


def test_a_regression_is_a_test_that_fails_until_it_is_mended(project):
    failed = run(project, "scenarios", "--harness-explore")
    folder = project / "scenarios" / "regressions"
    folder.mkdir()
    (folder / "one.toml").write_text(
        f'scenario = "../pay.toml"\ntoken = "{token_in(failed.stdout)}"\n'
        'cause = "outcomes, success_share"\nfound = "by a test"\n',
        encoding="utf-8",
    )
    done = run(project, "scenarios/regressions")
    assert "1 failed" in done.stdout
    assert "bob overtook alice" in done.stdout
    mended = run(project, "scenarios/regressions", "--harness-system", "plugin_shop:SoundShop")
    assert "1 passed" in mended.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ("--harness-explore", "--harness-explore-strategy", "lucky"),
            'no strategy "lucky"; known: portfolio',
        ),
        (
            ("--harness-explore-runs", "0"),
            "--harness-explore-runs: must be a whole number from 1 on",
        ),
        (("--harness-explore", "--harness-node", "live"), '--harness-node must be "simulated"'),
    ],
    ids=str,
)
def test_a_bad_option_fails_with_the_way_out(project, arguments, told):
    done = run(project, "scenarios", *arguments)
    assert done.returncode in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.USAGE_ERROR}
    assert told in done.stdout + done.stderr


def test_a_broken_regression_is_an_error_of_collection(project):
    (project / "scenarios" / "regressions").mkdir()
    (project / "scenarios" / "regressions" / "x.toml").write_text("token = 3\n", encoding="utf-8")
    done = run(project, "scenarios")
    assert done.returncode == 2
    assert "x.toml: scenario must be a text" in done.stdout


async def sound():
    """Do nothing wrong."""


async def wrong():
    """Fail in any order."""
    raise RuntimeError("always")


def test_a_sound_program_gives_what_was_searched():
    found = explore(sound, runs=5, strategy="random", allow=["one_order"])
    assert (found.runs, found.scenario, found.claim) == (5, "sound", "Do nothing wrong.")


def test_a_wrong_program_raises_with_cause_and_token_which_replays():
    with pytest.raises(FailureFound, match="RuntimeError: always") as caught:
        explore(wrong)
    with pytest.raises(FailureFound, match="failed in the same way"):
        explore(wrong, replay=token_in(str(caught.value)))


def test_a_token_of_another_program_is_refused():
    with pytest.raises(FailureFound) as caught:
        explore(wrong)
    with pytest.raises(BadInput, match='must be of the program "sound", got one of "wrong"'):
        explore(sound, replay=token_in(str(caught.value)))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"runs": 0}, "runs: must be at least 1"),
        ({"seconds": 0.0}, "seconds: must be more than 0, got 0"),
        ({"seed": -1}, "seed: must be a whole number from 0 to"),
        ({"strategy": "lucky"}, 'no strategy "lucky"'),
        ({"replay": "mh1-abc"}, "token: is damaged"),
    ],
    ids=str,
)
def test_an_argument_that_breaks_its_rule_is_refused(options, told):
    with pytest.raises(BadInput, match=told):
        explore(sound, **options)


def test_a_program_that_ends_the_interpreter_in_a_rare_order_is_found_and_replayed():
    async def main():
        async def stop(number):
            await asyncio.sleep(0.001)
            ended.append(number)
            if ended == [2, 3, 1]:
                raise SystemExit("panic")

        ended = []
        async with asyncio.TaskGroup() as group:
            for number in (1, 2, 3):
                group.create_task(stop(number))

    with pytest.raises(
        FailureFound, match=r"ended the interpreter: SystemExit\('panic'\)"
    ) as found:
        explore(main, runs=500, adversarial=True)
    (token,) = set(re.findall(r"mh1-[\w-]+", str(found.value)))
    with pytest.raises(FailureFound, match="failed in the same way"):
        explore(main, replay=token)


def test_after_a_program_that_ended_the_interpreter_the_next_run_is_clean():
    runs = []

    async def main():
        runs.append(len(asyncio.all_tasks()))
        lost = asyncio.create_task(asyncio.sleep(1), name="lost")
        asyncio.get_running_loop().call_soon(sys.exit, 1)
        await lost

    with pytest.raises(FailureFound):
        explore(main, runs=30, first=False)
    assert len(runs) > 30
    assert set(runs) == {1}
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_a_scenario_of_which_a_search_judges_nothing_does_not_pass(project):
    path = project / "scenarios" / "pay.toml"
    text = path.read_text(encoding="utf-8").partition("[check]")[0]
    speedup = 'speedup = { phase = "pay", above = 1.5 }'
    path.write_text(f"{text}[check]\n{speedup}\n", encoding="utf-8")
    done = run(
        project, "scenarios", "--harness-explore", "--harness-system", "plugin_shop:SoundShop"
    )
    assert done.returncode == 1
    assert "nothing is known: not judged by a search: speedup" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_token_of_which_no_test_is_fails_the_session(project, workers):
    found = run(project, "scenarios", "--harness-explore", "--harness-explore-runs", "100")
    token = token_in(found.stdout)
    done = run(project, "test_orders.py", "--harness-replay", token, "-n", workers)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "--harness-replay: nothing was repeated: it is of " in done.stdout
    assert "scenarios/pay.toml, which no test here searches" in done.stdout
    # With the scenario among the tests it is repeated.
    done = run(project, ".", "--harness-replay", token, "-n", workers)
    assert "1 failed, 3 skipped" in done.stdout
    assert "nothing was repeated" not in done.stdout


def test_a_damaged_token_is_refused_once_before_any_test(project):
    done = run(project, "scenarios", "--harness-replay", "mh1-abc")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "token: is damaged" in done.stderr
