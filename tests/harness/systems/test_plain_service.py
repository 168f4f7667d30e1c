"""What a plain class's methods are given, or refused, before the run."""

from __future__ import annotations

import pytest

from harness.scenario.reading import read_scenario
from harness.systems.plain_service import PlainService

SCENARIO = """
claim = "What is given is taken."
users = ["alice"]
[[phase]]
name = "ask"
[[phase.do]]
call = "{call}"
with = {{ self = 1 }}
[check]
"""


class Asked:
    async def any_name(self, **rest: object) -> object:
        return rest

    async def by_place(self, /, **rest: object) -> object:
        return rest

    @staticmethod
    async def without_object(**rest: object) -> object:
        return rest


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        (
            "any_name",
            ["phase[0].do[0].with.self: is the object itself in any_name"],
        ),
        ("by_place", []),
        ("without_object", []),
    ],
)
def test_an_argument_of_the_objects_own_name_is_refused(tmp_path, call, refused):
    path = tmp_path / "asked.toml"
    path.write_text(SCENARIO.format(call=call), encoding="utf-8")
    found = PlainService(Asked).mistakes(read_scenario(path))
    assert [one[: len(told)] for one, told in zip(found, refused, strict=True)] == refused
