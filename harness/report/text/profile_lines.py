"""A latency profile as lines of text: hash, source, and what differs from the nominal one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.results.profile_used import NOMINAL
from harness.results.wording import one_line
from harness.scenario.words import shown
from harness.simulated.world.profile import NamedProfile
from harness.simulated.world.profile_reading import nominal_profile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["profile_lines"]


def profile_lines(profile: NamedProfile | None) -> Iterator[str]:
    """Tell a profile, None for the nominal one, which is told with all of its figures."""
    nominal = nominal_profile()
    chosen = profile or NamedProfile(name=NOMINAL.name, figures=nominal)
    yield f"profile {one_line(str(chosen.used))}"
    yield from (f"  {one_line(line)}" for line in chosen.figures.provenance.splitlines())
    usual = {} if profile is None else dict(_figures(nominal.model_dump()))
    for key, value in _figures(chosen.figures.model_dump()):
        if value is not None and usual.get(key) != value:
            yield f"  {key} = {shown(value)}"


def _figures(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """List the figures, each with its key's path; a distribution is one."""
    for key, value in table.items():
        if isinstance(value, dict) and "kind" not in value:
            yield from _figures(value, f"{place}{key}.")
        elif key != "provenance":
            given = value
            if isinstance(value, dict):
                given = {name: _plain(one) for name, one in value.items() if one is not None}
            yield f"{place}{key}", given


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return int(value) if isinstance(value, float) and value == int(value) else value
