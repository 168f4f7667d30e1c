"""The settings of a scenario reach the constructor of a plain class, or are refused before it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field

from harness import explore_scenario
from harness.errors import BadInput
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.search.failures.replaying import ReplayOutcome, replay, subject_of_token
from harness.search.failures.token import Token
from harness.systems.plain_service import PlainService
from tests.there import there

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = """
claim = "What was given is there."
{settings}
users = ["alice"]
[[phase]]
name = "ask"
{phase}
[[phase.do]]
call = "ask"
[check]
"""
RESTARTED = """
[[phase.do]]
id = "before"
call = "ask"
[[phase]]
name = "again"
restart = true
"""


class Queue:
    def __init__(self, capacity: int = 4, names: object = ()) -> None:
        if not isinstance(capacity, int):
            raise TypeError("capacity must be a number")
        self._told = (capacity, names)

    async def ask(self) -> object:
        return self._told


class Needy(Queue):
    def __init__(self, capacity: int) -> None:
        super().__init__(capacity)


class Open(Queue):
    def __init__(self, **options: Any) -> None:
        super().__init__(0, options)


class OpenToAll(Queue):
    def __init__(self, /, **options: Any) -> None:
        super().__init__(0, options)


class Makes(type):
    def __call__(made, *given: Any, **options: Any) -> Any:  # noqa: N804 - to tell it from others
        return super().__call__(*given, **options)


class OpenAndMade(Open, metaclass=Makes):
    def __new__(cls, **_options: Any) -> OpenAndMade:
        return super().__new__(cls)


class ByPlace(Queue):
    def __init__(self, first: int, second: int = 2, /, third: int = 3, *more: int, last: int):
        super().__init__(0, (first, second, third, more, last))


@dataclass
class Data:
    storage_path: Path
    capacity: int
    _: KW_ONLY
    names: list[str] = field(default_factory=list)
    hidden: int = field(init=False, default=7)

    async def ask(self) -> object:
        return (self.capacity, self.names, self.hidden, self.storage_path.is_dir())


class Model(BaseModel):
    capacity: int
    names: list[str] = Field(default_factory=lambda: ["no one"])

    async def ask(self) -> object:
        return (self.capacity, self.names)


class Mapping(dict[str, object]):
    async def ask(self) -> object:
        return dict(self)


class Made(Queue):
    """Is made by another function than ``__init__``."""

    def __new__(cls, capacity: int) -> Made:
        made = super().__new__(cls)
        Queue.__init__(made, capacity * 10)
        return made

    def __init__(self, *_: object, **__: object) -> None:
        pass


class Spoils(Queue):
    def __init__(self, names: list[str]) -> None:
        names.append("spoilt")
        super().__init__(0, list(names))


@pytest.fixture
def told(tmp_path):
    """Run a class with settings once; return what was answered, in order."""

    def told(service, settings, *, phase=""):
        path = tmp_path / "ask.toml"
        given = f"settings = {settings}" if settings else ""
        path.write_text(SCENARIO.format(settings=given, phase=phase), encoding="utf-8")
        result = run_scenario(
            read_scenario(path),
            open_backend("simulated", needs_node=False),
            system=PlainService(service),
            system_path="own:Service",
            seed=0,
        )
        if result.verdict is Verdict.FAILED:
            return "\n".join(f"{one.seen} {one.involved}" for one in result.checks)
        return [one.value for one in there(result.history).operations]

    return told


@pytest.mark.parametrize(
    ("service", "settings", "answer"),
    [
        (Queue, "", [4, []]),
        (Queue, "{ capacity = 1 }", [1, []]),
        (Queue, '{ names = { alice = "a" } }', [4, {"alice": "a"}]),
        (Needy, "{ capacity = 1 }", [1, []]),
        (Open, '{ "any-thing" = 1, clients = 2 }', [0, {"any-thing": 1, "clients": 2}]),
        (Open, "{ cls = 1 }", [0, {"cls": 1}]),
        (OpenToAll, "{ self = 1 }", [0, {"self": 1}]),
        (ByPlace, "{ first = 1, last = 9 }", [0, [1, 2, 3, [], 9]]),
        (ByPlace, "{ first = 1, second = 5, third = 6, last = 9 }", [0, [1, 5, 6, [], 9]]),
        (Data, '{ capacity = 1, names = ["a"] }', [1, ["a"], 7, True]),
        (Model, "{ capacity = 1 }", [1, ["no one"]]),
        (Mapping, "{ capacity = 1 }", {"capacity": 1}),
        (Made, "{ capacity = 1 }", [10, []]),
    ],
)
def test_settings_reach_the_constructor(told, service, settings, answer):
    assert told(service, settings) == [answer]


def test_what_a_service_does_to_its_settings_the_next_one_does_not_see(told):
    assert told(Spoils, '{ names = ["a"] }', phase=RESTARTED) == [[0, ["a", "spoilt"]]] * 2


@pytest.mark.parametrize(
    ("service", "settings", "mistakes"),
    [
        (
            Queue,
            "{ capcity = 1, nonsense = [3] }",
            [
                'settings.capcity: Queue takes no such argument, got 1; did you mean "capacity"?',
                "settings.nonsense: Queue takes no such argument, got [3];"
                " it takes: capacity, names",
            ],
        ),
        (
            Needy,
            "",
            [
                "settings.capacity: is missing, and Needy cannot be made without it;"
                " write settings = { capacity = ... }"
            ],
        ),
        (
            Needy,
            "{ capacty = 1 }",
            ['settings.capacty: Needy takes no such argument, got 1; did you mean "capacity"?'],
        ),
        (
            Data,
            '{ capacity = 1, hidden = 2, storage_path = "here" }',
            [
                "settings.hidden: Data takes no such argument, got 2; it takes: capacity, names",
                'settings.storage_path: is given to Data by the harness, got "here"; leave it out',
            ],
        ),
        (
            OpenAndMade,
            "{ self = 1, cls = 2, made = 3, other = 4 }",
            [
                "settings.cls: is given to OpenAndMade by Python itself, got 2; rename it",
                "settings.made: is given to OpenAndMade by Python itself, got 3; rename it",
                "settings.self: is given to OpenAndMade by Python itself, got 1; rename it",
            ],
        ),
        (
            ByPlace,
            "{ more = 1 }",
            [
                "settings.first: is missing, and ByPlace cannot be made without it;"
                " write settings = { first = ... }",
                "settings.last: is missing, and ByPlace cannot be made without it;"
                " write settings = { last = ... }",
                "settings.more: ByPlace takes no such argument, got 1;"
                " it takes: first, second, third, last",
            ],
        ),
    ],
)
def test_a_setting_that_nothing_takes_or_that_is_missing_is_refused(
    told, service, settings, mistakes
):
    with pytest.raises(BadInput, match="mistake") as refused:
        told(service, settings)
    assert [one.strip() for one in str(refused.value).splitlines()[1:]] == mistakes


def test_a_constructor_that_raises_is_told_with_its_settings(told):
    found = told(Queue, '{ capacity = "four" }')
    assert "TypeError: capacity must be a number" in found
    assert 'it was made with settings = { capacity = "four" }' in found


BOASTS = """
class Boasts:
    def __init__(self, capacity):
        self._capacity = capacity

    async def ask(self):
        if self._capacity > 4:
            raise OverflowError(f"{self._capacity} is too much")
"""


def test_a_failure_is_replayed_with_the_settings_of_its_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boasting.py").write_text(BOASTS, encoding="utf-8")
    path = tmp_path / "ask.toml"
    text = 'system = "boasting:Boasts"\n' + SCENARIO.format(
        settings="settings = { capacity = 5 }", phase=""
    )
    path.write_text(text, encoding="utf-8")
    (failure,) = explore_scenario(path, runs=1).failures
    token = Token.read(failure.token)
    again = replay(token, subject_of_token(token))
    assert again.outcome is ReplayOutcome.SAME_FAILURE
    assert not again.code_changed
    path.write_text(text.replace("capacity = 5", "capacity = 4"), encoding="utf-8")
    mended = replay(token, subject_of_token(token))
    assert mended.outcome is ReplayOutcome.PASSES_NOW
    assert mended.code_changed
