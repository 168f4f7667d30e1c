"""A service is found in the current folder as long as it runs; what is not found, is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness import explore_scenario, run_scenario, verify_scenario
from harness.errors import BadInput
from harness.results.verdict import Verdict
from harness.systems import imports
from harness.systems.imports import importing_from_here
from harness.systems.loading import load_system
from tests.command import run_harness
from tests.harness.pytest_plugin.running import run as run_pytest

SERVICE = """
class Late:
    async def ask(self):
        from {beside} import ANSWER
        return ANSWER
"""
SCENARIO = """
claim = "What stands beside the service is found."
allow = ["one_order"]
system = "{module}:Late"
users = ["alice"]
[[phase]]
name = "ask"
[[phase.do]]
call = "ask"
[check]
result = {{ of = "ask", path = "", equals = 42 }}
"""


def passed(folder, *arguments):
    """Run a command in a folder, see that it ends with 0, and return what it printed."""
    done = run_harness(*arguments, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Make a folder of a service and its scenario the current one; return a part of its names.

    Modules of this process stay imported, so each test has names of its own.
    """
    own = f"{tmp_path.name.replace('-', '_')}_late"
    (tmp_path / f"{own}.py").write_text(SERVICE.format(beside=f"{own}_beside"), encoding="utf-8")
    (tmp_path / f"{own}_beside.py").write_text("ANSWER = 42\n", encoding="utf-8")
    (tmp_path / "scenarios").mkdir()
    text = SCENARIO.format(module=own)
    (tmp_path / "scenarios" / "ask.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return own


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--seeds", "3", "--jobs", "2"),
        ("run", "--node", "live"),
        ("explore", "--runs", "3", "--jobs", "1"),
        ("explore", "--runs", "20", "--jobs", "2"),
        ("explore", "--runs", "3", "--jobs", "1", "--strategy", "exhaustive"),
        ("verify", "--seeds", "2", "--jobs", "1"),
        ("verify", "--seeds", "2", "--jobs", "2"),
        ("replay", "scenarios/ask.toml", "--seed", "0"),
    ],
    ids=" ".join,
)
def test_a_module_beside_the_service_is_found_while_it_runs(beside, tmp_path, arguments):
    passed(tmp_path, *arguments)


def test_a_module_beside_the_service_is_found_while_it_runs_in_this_process(beside):
    path_before = list(sys.path)
    assert run_scenario("scenarios/ask.toml").verdict is Verdict.PASSED
    assert explore_scenario("scenarios/ask.toml", runs=2).verdict is not Verdict.FAILED
    verify_scenario("scenarios/ask.toml")
    assert sys.path == path_before


@pytest.mark.parametrize("arguments", [(), ("--harness-explore",)], ids=["run", "explore"])
def test_a_module_beside_the_service_is_found_while_pytest_runs_it(beside, tmp_path, arguments):
    done = run_pytest(tmp_path, *arguments, PYTHONSAFEPATH="1")
    assert "1 passed" in done.stdout, done.stdout


def test_a_failure_is_replayed_with_what_stands_beside_the_service(beside, tmp_path):
    (tmp_path / f"{beside}_beside.py").write_text("ANSWER = 41\n", encoding="utf-8")
    found = explore_scenario("scenarios/ask.toml", runs=2)
    token = found.failures[0].token
    (tmp_path / f"{beside}_beside.py").write_text("ANSWER = 42\n", encoding="utf-8")
    assert "did not fail: the code has changed" in passed(tmp_path, "replay", token)


def test_the_path_is_left_as_a_service_makes_it(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["first"])
    monkeypatch.chdir(tmp_path)
    with importing_from_here():
        assert sys.path == [str(tmp_path), "first"]
        with importing_from_here():
            assert sys.path == [str(tmp_path), "first"]
        sys.path[:] = ["its", "own"]
    assert sys.path == ["its", "own"]


@pytest.fixture
def refusal(tmp_path, monkeypatch):
    """Load a system from files in the current folder; return why that is refused."""
    monkeypatch.chdir(tmp_path)

    def refusal(path, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        with pytest.raises(BadInput, match="system") as refused:
            load_system(path)
        text = str(refused.value)
        start = f'system "{path}": '
        assert text.startswith(start)
        assert "\n" not in text
        return text.removeprefix(start)

    return refusal


def test_a_module_that_is_nowhere_is_told_with_where_it_was_looked_for(refusal, tmp_path):
    told = refusal("gone_far_away:X")
    assert told.startswith(f"there is no module gone_far_away; looked in {tmp_path}, ")
    assert told.endswith(
        "; call this in the folder that holds it, or name that folder in PYTHONPATH"
    )
    # Python's own library is no place for a user's module.
    assert f"{Path(os.__file__).parent}," not in told


def test_a_module_of_another_name_here_is_told(refusal):
    assert refusal("gone_tikets:X", gone_tickets="").endswith("; did you mean gone_tickets?")


def test_a_package_without_the_module_is_told(refusal, tmp_path):
    (tmp_path / "gone_package").mkdir()
    (tmp_path / "gone_package" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "gone_package" / "shop.py").write_text("", encoding="utf-8")
    assert refusal("gone_package.shp:X") == (
        f"there is no module gone_package.shp; looked in {tmp_path / 'gone_package'};"
        " did you mean gone_package.shop?"
    )


def test_a_module_in_the_place_of_a_package_is_told(refusal, tmp_path):
    assert refusal("gone_flat.shop:X", gone_flat="") == (
        f"there is no module gone_flat.shop: gone_flat is no package but {tmp_path}/gone_flat.py"
    )


def test_a_module_that_imports_what_is_missing_is_told_with_its_line(refusal, tmp_path):
    told = refusal("gone_a:X", gone_a="import gone_b\n", gone_b="\nimport gone_c.d\n")
    assert told.startswith(
        f"gone_a imports gone_c at {tmp_path}/gone_b.py:2, which cannot be found;"
        f" looked in {tmp_path}, "
    )
    assert told.endswith("; install it")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ny = x / 0\n", " at {here}:2: ZeroDivisionError: division by zero"),
        ("raise ValueError('two\\nlines')\n", " at {here}:1: ValueError: two lines"),
        ("from json import nowt\n", " at {here}:1: ImportError: cannot import name 'nowt' from"),
        ("from . import x\n", " at {here}:1: ImportError: attempted relative import with no known"),
        ("def f(:\n", ": SyntaxError: invalid syntax (gone_raises_4.py, line 1)"),
    ],
)
def test_a_module_that_raises_is_told_with_its_line(refusal, tmp_path, request, text, told):
    # Python keeps what it has compiled of a module by its name.
    name = f"gone_raises_{request.node.callspec.indices['text']}"
    found = refusal(f"{name}:X", **{name: text})
    wanted = told.format(here=tmp_path / f"{name}.py")
    assert found.startswith(f"importing {name} failed{wanted}")


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("Tickts", "has no Tickts; did you mean Tickets? "),
        ("Zzz", "has no Zzz; its classes: Bare, Tickets; "),
    ],
)
def test_an_attribute_that_is_missing_is_told_with_its_neighbours(refusal, attribute, told):
    text = "from json import JSONDecoder\n"  # a class of another module
    text += "class Bare: pass\nclass Tickets: pass\ndef make(): pass\n"
    name = f"gone_names_{attribute}"
    found = refusal(f"{name}:{attribute}", **{name: text})
    assert found.startswith(f"{name} {told}{name} is ")
    assert found.endswith(f"/{name}.py")


def test_what_a_class_inside_a_class_lacks_is_told_with_the_way_to_it(refusal):
    text = "class Shop:\n    class Desk:\n        class Till: pass\n"
    found = refusal("gone_inside:Shop.Desk.Zzz", gone_inside=text)
    assert found.startswith("gone_inside:Shop.Desk has no Zzz; ")


def test_a_module_that_another_one_hides_is_told_by_its_file(refusal):
    # The library's module of that name is imported long since.
    told = refusal("calendar:Appointments", calendar="class Appointments: pass\n")
    assert told.startswith("the module calendar is in ")
    assert f"another one of that name from {Path(os.__file__).parent};" in told


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("make", "the function make; name the class that it makes"),
        ("made", "an object of Made; name a class: each run makes one of its own"),
        ("json", "the module json; name a class in it"),
    ],
)
def test_what_is_no_class_is_told_with_what_to_name(refusal, attribute, told):
    text = "import json\nclass Made: pass\ndef make(): return Made()\nmade = make()\n"
    name = f"gone_kinds_{attribute}"
    found = refusal(f"{name}:{attribute}", **{name: text})
    assert found == f"must be a class with async methods or an adapter, got {told}"


def test_another_module_of_the_same_name_is_refused_and_never_judged_instead(beside, tmp_path):
    assert run_scenario("scenarios/ask.toml").verdict is Verdict.PASSED
    other = tmp_path / "other"
    other.mkdir()
    text = SERVICE.format(beside="nothing")
    (other / f"{beside}.py").write_text(text, encoding="utf-8")
    os.chdir(other)
    with pytest.raises(BadInput, match=r"loaded another one of that name from .*; rename"):
        run_scenario("../scenarios/ask.toml")


def test_the_current_folder_comes_first_even_where_the_path_has_it_later(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    monkeypatch.setattr(sys, "path", ["/elsewhere", here])
    with importing_from_here():
        assert sys.path == [here, "/elsewhere", here]
    assert sys.path == ["/elsewhere", here]


def test_a_folder_called_harness_does_not_hide_the_harness_that_runs(tmp_path, monkeypatch):
    (tmp_path / "harness").mkdir()
    (tmp_path / "harness" / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_system("harness.systems.serve_core:ServeCore").needs_node


def test_a_service_that_changes_the_folder_as_it_is_loaded_is_there_when_it_runs(
    tmp_path, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "goes_elsewhere.py").write_text(
        "import os\nos.chdir('elsewhere')\nclass Service:\n"
        "    async def ask(self):\n        return os.getcwd()\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(imports, "_gone_to", [])
    load_system("goes_elsewhere:Service")
    assert Path.cwd() == tmp_path
    with importing_from_here():
        assert Path.cwd() == tmp_path / "elsewhere"
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("call", ["os._exit(0)", "os.abort()", "os.execv('/bin/true', ['true'])"])
def test_a_module_that_would_end_the_process_as_it_is_imported_is_refused(
    tmp_path, monkeypatch, call
):
    name = f"ends_{abs(hash(call))}"
    (tmp_path / f"{name}.py").write_text(f"import os\n{call}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=rf"{name}\.py:2: RuntimeError: os\.\w+\(\) would end"):
        load_system(f"{name}:Service")
