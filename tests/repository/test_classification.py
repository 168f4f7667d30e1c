"""Every module is classified by its name: the program, the harness, or Python's own library."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from importlib.util import find_spec
from pathlib import Path

import pytest

import harness
import serve
from harness.diagnosis.classification import module_of, part_of_code, part_of_frame
from harness.history.parts import PARTS, Part, part_at, part_of
from harness.search.exhaustive.observation import frame_kinds
from tests.harness.pytest_plugin.running import PLUGIN
from tests.there import there

ADAPTERS = ("harness.systems", "harness.miden.adapter")


def modules_of(package):
    root = Path(package.__file__).parent
    for path in sorted(root.rglob("*.py")):
        names = path.relative_to(root.parent).with_suffix("").parts
        yield ".".join(names[:-1] if names[-1] == "__init__" else names)


def is_listed(module):
    """Tell whether the table names a module, or a package that it is in."""
    parts = module.split(".")
    return any(".".join(parts[:length]) in PARTS for length in range(1, len(parts) + 1))


@pytest.mark.parametrize("module", list(modules_of(harness)))
def test_every_module_of_the_harness_is_classified(module):
    adapter = any(module == one or module.startswith(f"{one}.") for one in ADAPTERS)
    assert (part_of(module) is Part.PROGRAM) == adapter
    assert part_of(module).is_harness == (not adapter)
    assert module == "harness" or is_listed(module), f"{module}: name it in harness.history.parts"


@pytest.mark.parametrize("module", list(modules_of(serve)))
def test_every_module_of_the_service_is_the_programs(module):
    assert is_listed(module)
    assert part_of(module) is Part.PROGRAM


@pytest.mark.parametrize("module", PARTS)
def test_the_table_names_only_modules_that_exist(module):
    # The tree has the plugin's hooks under another name than the wheel.
    place = PLUGIN if module == "mosaic_harness_plugin" else module
    assert find_spec(place) is not None


@pytest.mark.parametrize("module", sorted(frame_kinds.MODULES))
def test_the_kinds_of_frames_name_only_modules_that_exist(module):
    assert find_spec(module) is not None
    assert part_of(module) in {Part.ASYNCIO, Part.LIBRARY}


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("asyncio", Part.ASYNCIO),
        ("asyncio.locks", Part.ASYNCIO),
        ("asyncio_of_ours", Part.PROGRAM),
        ("contextlib", Part.LIBRARY),
        ("importlib._bootstrap", Part.LIBRARY),
        ("harness_of_ours", Part.PROGRAM),
        ("harness.test_of_a_project", Part.PROGRAM),
        ("pytest.main", Part.PROGRAM),
        ("tests.harness.test_x", Part.PROGRAM),
        ("", Part.PROGRAM),
    ],
)
def test_what_is_not_the_harness_is_pythons_or_the_programs(module, part):
    assert part_of(module) is part


def test_a_frame_and_its_code_are_of_one_part():
    frame = there(inspect.currentframe())
    assert module_of(frame) == __name__
    assert part_of_frame(frame) is part_of_code(frame.f_code) is Part.PROGRAM
    assert part_of_code(asyncio.sleep.__code__) is Part.ASYNCIO
    assert part_of_code(part_of_code.__code__) is Part.HARNESS


def caller():
    """Return the frame that called whoever calls this."""
    return there(there(there(inspect.currentframe()).f_back).f_back)


def test_what_is_run_has_the_name_by_which_it_was_found():
    frames = {}
    code = compile("keep(1)", "a file", "exec")
    for name in ("harness.__main__", "a_program.__main__"):
        spec = there(find_spec("harness.__main__"))
        spec.name = name
        keep = lambda _, name=name: frames.update({name: caller()})  # noqa: E731
        exec(code, {"__name__": "__main__", "__spec__": spec, "keep": keep})
    parts = {name: part_of_frame(frame) for name, frame in frames.items()}
    assert parts == {"harness.__main__": Part.HARNESS, "a_program.__main__": Part.PROGRAM}
    exec(code, {"__name__": "__main__", "__spec__": None, "keep": keep})
    assert part_of_frame(frames["a_program.__main__"]) is Part.PROGRAM


def test_code_that_was_made_from_a_text_is_no_modules():
    frames = []

    @dataclasses.dataclass
    class Made:
        value: int

        def __setattr__(self, name, value):
            frames.append(caller())

    Made(1)
    assert module_of(frames[0]) == ""
    assert part_of_frame(frames[0]) is Part.PROGRAM


@pytest.mark.parametrize(
    ("place", "ours"),
    [
        ("harness/runs/workload.py:9 in f", True),
        ("harness/simulated/loop/virtual_loop.py:9 in f", True),
        ("harness/systems/plain_service.py:1 in f", False),
        ("harness/miden/adapter/serve_core.py:1 in f", False),
        ("serve/service/service.py:1 in f", False),
        ("a/harness/runs/workload.py:1 in f", False),
        ("/harness/runs/workload.py:1 in f", False),
        ("not begun", False),
    ],
)
def test_a_place_spells_the_name_of_its_module(place, ours):
    assert part_at(place).is_harness == ours
