"""The reading of latency profiles: by name or from a file, checked whole."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from harness.errors import BadInput
from harness.results.profile_used import NOMINAL
from harness.scenario.mistakes import message, values_mistakes
from harness.scenario.toml_file import read_toml
from harness.scenario.words import hinted
from harness.simulated.world.profile import NamedProfile, Profile

if TYPE_CHECKING:
    from os import PathLike

    from harness.results.profile_used import ProfileUsed

__all__ = [
    "nominal_profile",
    "profile_again",
    "profile_named",
    "profile_names",
    "profile_schema",
    "read_profile",
]

SUFFIX = ".toml"
WITH_HASH = re.compile(r"(.+)@([0-9a-f]{12})")


def profile_names() -> list[str]:
    """List the profiles that the harness brings, the default first."""
    names = sorted(one.name.removesuffix(SUFFIX) for one in _folder().iterdir())
    return sorted(names, key=lambda name: name != NOMINAL.name)


def profile_named(asked: str | PathLike[str] | None) -> NamedProfile | None:
    """Read the profile that is asked for: by a name, or a file; ``None`` is the nominal one.

    ``NAME@HASH`` or ``FILE@HASH``, as replay lines have it, also says what its hash must be.

    Returns:
        None where its figures are the nominal ones: nothing of a run tells the two apart.

    Raises:
        BadInput: There is no such profile, it breaks rules, or its hash is another one.
    """
    if asked is None:
        return None
    if not isinstance(asked, str | os.PathLike) or not isinstance(text := os.fspath(asked), str):
        raise BadInput(f"--profile: must be a name or a file, got {asked!r}")
    with_hash = WITH_HASH.fullmatch(text)
    name = text if with_hash is None else with_hash[1]
    found = NamedProfile(name=name, figures=_figures(name))
    if with_hash is not None and found.used.hash != with_hash[2]:
        raise BadInput(
            f"--profile: {name}: its hash must be {with_hash[2]}, as the run had it, got"
            f" {found.used.hash}; bring back the profile of then, or leave out @{with_hash[2]} for"
            " another run, with the profile of now"
        )
    return None if found.used.hash == NOMINAL.hash else found


def profile_again(
    used: ProfileUsed | None, asked: str | PathLike[str] | None, *, what: str
) -> NamedProfile | None:
    """Read the profile that a failure was found with; ``asked`` names another place for it.

    Raises:
        BadInput: It is not there, or is another one; the message begins with ``what``.
    """
    then = used or NOMINAL
    try:
        found = profile_named(then.name if asked is None else asked)
    except BadInput as error:
        if asked is not None:
            raise
        advice = "bring it back, or name the place where it is now with --profile"
        raise BadInput(f"{what}: was found with the profile {then}: {error}; {advice}") from error
    now = NOMINAL if found is None else found.used
    if now.hash != then.hash:
        raise BadInput(
            f"{what}: was found with the profile {then}, so it must be replayed with that, got"
            f" {now}; bring back the profile of then, or search again with the one of now"
        )
    return found


@cache
def nominal_profile() -> Profile:
    """Read the profile that every run has by default."""
    return Profile.model_validate(_nominal())


def read_profile(path: Path) -> Profile:
    """Read a profile's file; what is not in it is as in the nominal profile.

    Raises:
        BadInput: The file cannot be read or breaks rules; the message lists every mistake.
    """
    holds = "provenance, and what differs from the nominal profile, such as [latency_ms]"
    data = read_toml(path, noun="profile", holds=holds, shorter="write percentiles, not all values")
    whole = _over({key: _nominal()[key] for key in _nominal() if key != "provenance"}, data)
    try:
        return Profile.model_validate(whole)
    except ValidationError as error:
        raise BadInput(message(path, values_mistakes(error, whole, Profile))) from error


def profile_schema() -> dict[str, Any]:
    """Make the JSON Schema of profiles; reading a file checks more than the schema."""
    document = Profile.model_json_schema()
    for table in (document, *document["$defs"].values()):
        # What is not in a file is as in the nominal profile; a distribution stands whole.
        if "kind" not in table["properties"]:
            table.pop("required", None)
    document["required"] = ["provenance"]
    document["title"] = "Latency profile"
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document


def _figures(name: str) -> Profile:
    if name == NOMINAL.name:
        return nominal_profile()
    if name in profile_names():
        return read_profile(Path(str(_folder() / f"{name}{SUFFIX}")))
    path = Path(name)
    if path.suffix == SUFFIX or os.sep in name or (name and os.path.lexists(path)):
        return read_profile(path)
    known = hinted(name, profile_names(), instead="known")
    raise BadInput(
        f'--profile: must be a known name, or a file that ends in {SUFFIX}, got "{name}"; {known}'
    )


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Lay a table over another, key by key; a distribution is replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        under = below.get(key)
        both = isinstance(value, dict) and isinstance(under, dict) and "kind" not in under
        merged[key] = _over(under, value) if both else value  # type: ignore[arg-type]
    return merged


@cache
def _nominal() -> dict[str, Any]:
    holds = "all figures"
    path = Path(str(_folder() / f"{NOMINAL.name}{SUFFIX}"))
    return read_toml(path, noun="profile", holds=holds, shorter="make it shorter")


def _folder() -> Any:
    return files("harness.simulated.world") / "profiles"
