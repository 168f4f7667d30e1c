"""A good scenario to be broken in one place at a time."""

from __future__ import annotations

import sys
import threading

import pytest

from harness.errors import BadInput
from harness.scenario.reading import read_scenario
from harness.simulated.guards import blocked_step

GOOD = """\
claim = "Making works."
users = ["alice", "bob"]

[[phase]]
name = "one"
[[phase.do]]
id = "make"
call = "create"
user = "each"
times = 2
[[phase.do]]
id = "list"
call = "list_all"
user = "alice"

[[phase]]
name = "two"
[[phase.do]]
id = "look"
call = "look"
user = "each"

[check]
no_deadlock = { within_s = 10 }
"""


@pytest.fixture
def good_scenario():
    return GOOD


@pytest.fixture
def read_text(tmp_path):
    """Read a scenario from text, as if it stood in a file."""

    def read(text, name="claim.toml"):
        path = tmp_path / name
        path.write_text(text)
        return read_scenario(path)

    return read


@pytest.fixture
def mistakes_of(read_text, tmp_path):
    """List the mistakes of a text, or of the good scenario with some of its text replaced."""

    def mistakes(*changes):
        text = GOOD
        for old, new in changes:
            assert old is None or old in text
            text = new if old is None else text.replace(old, new, 1)
        with pytest.raises(BadInput, match="mistake") as caught:
            read_text(text)
        first, *lines = str(caught.value).splitlines()
        count = len(lines)
        assert first == f"{tmp_path / 'claim.toml'}: {count} mistake{'s' * (count != 1)}"
        assert all(line.startswith("  ") for line in lines)
        return [line.removeprefix("  ") for line in lines]

    return mistakes


@pytest.fixture
def alone(monkeypatch):
    """Hide threads that other tests have left: each might give what a blocked step waits for."""
    left = sys._current_frames().keys() - {threading.get_ident()}  # noqa: SLF001
    frames_of_all = blocked_step.FRAMES
    seen = lambda: {one: at for one, at in frames_of_all().items() if one not in left}  # noqa: E731
    monkeypatch.setattr(blocked_step, "FRAMES", seen)
