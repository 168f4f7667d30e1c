"""The public face: what `import harness` offers, what it costs, and what misuse is told."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import pydoc
import re
import subprocess
import sys
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.errors import BadInput, CouldNotRun, FailureFound, NotDeterministic, Terminated
from harness.live.backend import LiveBackend

SCREEN_LINES = 60
SHOP = """
import asyncio
from harness.errors import Terminated

class Shop:
    def __init__(self):
        self.left = 3

    async def buy(self, user: str) -> int:
        left = self.left
        await asyncio.sleep(0.1)
        self.left = left - 1
        return self.left

class Keeping(Shop):
    def __init__(self):
        super().__init__()
        self.lock = asyncio.Lock()

    async def buy(self, user: str) -> int:
        await self.lock.acquire()
        bought = await super().buy(user)
        self.lock.release()
        return bought

class Leaving(Shop):
    async def buy(self, user: str) -> int:
        raise SystemExit(0)

class Killed(Shop):
    async def buy(self, user: str) -> int:
        raise Terminated(143)

class Unsteady(Shop):
    async def buy(self, user: str) -> int:
        # The order of a set of texts hangs on how texts are hashed.
        await asyncio.sleep(int("".join({"1", "2", "3", "4", "5", "6", "7", "8"})) / 1e8)
        return 1
"""
SCENARIO = """
claim = "Nobody gets what another got."
system = "publicshop:Shop"
users = { count = 2 }
[[phase]]
name = "sale"
[[phase.do]]
id = "buy"
call = "buy"
user = "each"
[check]
distinct_results = { of = "buy", path = "" }
"""


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    (tmp_path / "publicshop.py").write_text(SHOP, encoding="utf-8")
    path = tmp_path / "sale.toml"
    path.write_text(SCENARIO, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "publicshop", raising=False)
    return path


async def doubled():
    await asyncio.sleep(3_600)
    return 2


async def wants(number):
    return number


def test_every_public_name_is_there_and_has_a_docstring():
    for name in harness.__all__:
        found = getattr(harness, name)
        assert found.__doc__, name
        if name != "__version__":
            assert getattr(import_module(found.__module__), name) is found


def test_the_types_that_checkers_see_are_the_names_that_are_public():
    tree = ast.parse(Path(harness.__file__).read_text(encoding="utf-8"))
    (guarded,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__"} == set(harness.__all__)


def test_importing_the_package_imports_nothing_else():
    program = "import sys; old = set(sys.modules); import harness; harness.__version__;" + (
        "import json; print(json.dumps([m for m in set(sys.modules) - old if '.' in m]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(harness.__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [name for name in json.loads(done.stdout) if name.startswith("harness")] == []


def test_help_fits_a_screen_and_begins_where_one_begins():
    text = pydoc.plain(pydoc.render_doc(harness))
    assert text.count("\n") <= SCREEN_LINES
    assert "Begin with" in text


def test_a_name_that_is_not_there_is_an_attribute_error_that_lists_those_that_are():
    with pytest.raises(AttributeError, match=r"no attribute 'explor'; it has .*, explore,"):
        harness.explor  # noqa: B018


def test_a_main_is_simulated_explored_and_verified():
    assert harness.simulate(doubled) == 2
    assert harness.simulate(lambda: wants(4)) == 4
    assert harness.simulate(partial(wants, 5)) == 5
    assert harness.explore(doubled, runs=5, allow=["one_order"]).runs == 5
    harness.verify(doubled, seeds=2)


class Fails:
    async def __call__(self, number):
        raise AssertionError(number)


@pytest.mark.parametrize("main", [partial(Fails().__call__, 3), partial(Fails(), 3)])
def test_the_name_of_a_main_is_the_same_in_every_process(main):
    with pytest.raises(harness.FailureFound) as found:
        harness.explore(main, runs=1)
    named = re.search(r"FAILED (\S+) \[", str(found.value))
    assert named is not None
    assert named[1] in ("Fails.__call__", "Fails")


def test_a_main_that_is_not_decided_by_its_seed_is_not_verified():
    drawn = iter(range(100))

    async def main():
        await asyncio.sleep(next(drawn))

    with pytest.raises(NotDeterministic, match="two runs must do the same"):
        harness.verify(main)


def test_a_scenario_is_run_explored_and_verified(scenario):
    result = harness.run_scenario(scenario)
    assert result.verdict is harness.Verdict.FAILED
    found = harness.explore_scenario(scenario, runs=20)
    assert found.verdict is harness.Verdict.FAILED
    harness.verify_scenario(scenario, seeds=2)
    with pytest.raises(NotDeterministic, match="DIFFERENT sale"):
        harness.verify_scenario(scenario, system="publicshop:Unsteady")


def test_a_service_that_ends_the_interpreter_ends_its_run_alone(scenario):
    found = harness.run_scenario(scenario, system="publicshop:Leaving")
    assert found.verdict is harness.Verdict.UNKNOWN
    assert found.could_not_run == "the system under test ended the interpreter: SystemExit(0)"
    assert found.replay.endswith("--seed 0 --system publicshop:Leaving")


def test_chaos_finds_the_lock_that_a_cancelled_operation_keeps(scenario):
    of: dict[str, Any] = {"system": "publicshop:Keeping", "allow": ["one_order"]}
    explore = partial(harness.explore_scenario, scenario, runs=50, **of)
    assert explore().verdict is harness.Verdict.PASSED
    assert explore(chaos=True).verdict is harness.Verdict.FAILED


def test_a_run_that_proves_nothing_is_not_called_different(scenario):
    with pytest.raises(CouldNotRun, match="ended the interpreter"):
        harness.verify_scenario(scenario, system="publicshop:Leaving")


def plain():
    return 3


def broken():
    raise KeyError("x")


MAIN = 'main: must be a coroutine function without arguments, such as "async def main\\(\\):", got'


@pytest.mark.parametrize(
    ("main", "message"),
    [
        (plain, f'{MAIN} plain, which is no "async def"'),
        (broken, f"{MAIN} broken, which raised KeyError"),
        (wants, rf"{MAIN} wants\(number\); give functools.partial"),
        (3, f"{MAIN} 3"),
        (None, f"{MAIN} None"),
    ],
    ids=["plain", "broken", "wants", "number", "none"],
)
@pytest.mark.parametrize("call", [harness.simulate, harness.explore, harness.verify])
def test_what_is_no_coroutine_function_is_refused_in_one_line(call, main, message):
    with pytest.raises(BadInput, match=f"^{message}") as caught:
        call(main)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("call", [harness.simulate, harness.explore, harness.verify])
def test_a_coroutine_in_place_of_its_function_is_refused_and_closed(call):
    made = doubled()
    with pytest.raises(BadInput, match=r"got a coroutine; give main, not main\(\)"):
        call(made)
    assert inspect.getcoroutinestate(made) == inspect.CORO_CLOSED


def test_the_coroutine_by_which_a_plain_function_is_judged_is_closed():
    made = []

    def main():
        made.append(doubled())
        return made[-1]

    assert harness.simulate(main) == 2
    assert [inspect.getcoroutinestate(one) for one in made] == [inspect.CORO_CLOSED] * 2


@pytest.mark.parametrize(
    ("system", "end"),
    [("publicshop:Shop", nullcontext()), ("publicshop:Killed", pytest.raises(Terminated))],
    ids=["returns", "raises"],
)
def test_a_backend_is_closed_however_its_run_ends(scenario, monkeypatch, system, end):
    closed = []
    close = LiveBackend.close

    def watched(self):
        closed.append(self)
        close(self)

    monkeypatch.setattr(LiveBackend, "close", watched)
    with end:
        harness.run_scenario(scenario, node="live", system=system)
    assert len(closed) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "lucky"}, '^strategy: there is no strategy "lucky"; known: portfolio'),
        ({"strategy": None}, "^strategy: "),
        ({"runs": 0}, "^runs: must be at least 1"),
        ({"runs": 2.5}, "^runs: "),
        ({"seconds": 0}, "^seconds: must be more than 0"),
        ({"seconds": "1"}, "^seconds: must be more than 0"),
        ({"seed": -1}, "^seed: must be a whole number"),
        ({"seed": "1"}, "^seed: must be a whole number"),
        ({"seed": True}, "^seed: must be a whole number"),
    ],
    ids=str,
)
def test_a_bad_argument_is_named_as_python_names_it(scenario, options, message):
    with pytest.raises(BadInput, match=message):
        harness.explore(doubled, **options)
    with pytest.raises(BadInput, match=message):
        harness.explore_scenario(scenario, **options)


def test_a_failure_found_says_what_failed():
    async def main():
        raise ValueError("sold twice")

    with pytest.raises(FailureFound, match="sold twice"):
        harness.explore(main, runs=2)


@pytest.mark.parametrize("seeds", [0, -1, 1.5, "2", True], ids=str)
def test_seeds_to_verify_are_a_whole_number_from_one_on(seeds):
    with pytest.raises(BadInput, match=r"^seeds: must be a whole number from 1 on, got"):
        harness.verify(doubled, seeds=seeds)
