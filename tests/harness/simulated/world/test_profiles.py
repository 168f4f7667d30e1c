"""Profiles as they are read: by name or from a file, each with the hash of its figures."""

from __future__ import annotations

import random
import tomllib
from importlib.resources import files
from itertools import pairwise

import jsonschema
import pytest
from pydantic import TypeAdapter

from harness.errors import BadInput
from harness.results.profile_used import NOMINAL, ProfileUsed
from harness.simulated.world.distributions import Distribution
from harness.simulated.world.profile import NamedProfile
from harness.simulated.world.profile_reading import (
    nominal_profile,
    profile_again,
    profile_named,
    profile_names,
    profile_schema,
    read_profile,
)
from tests.harness.simulated.world.bad_profiles import BAD

SLOW = '[latency_ms]\nstore = { kind = "constant", value = 50 }\n'


@pytest.fixture
def profile(tmp_path):
    """Read a profile from a text, to which a source is added."""
    path = tmp_path / "mine.toml"

    def read(text, source="somewhere"):
        path.write_text(f'provenance = "{source}"\n{text}')
        return profile_named(path)

    return read


def test_the_hash_that_is_written_down_is_that_of_the_nominal_profile():
    assert NamedProfile(name="nominal", figures=nominal_profile()).used == NOMINAL


@pytest.mark.parametrize("name", [None, "nominal", f"nominal@{NOMINAL.hash}"])
def test_the_nominal_profile_is_that_of_a_run_without_one(name):
    assert profile_named(name) is None


def test_a_file_with_the_nominal_figures_is_the_nominal_profile(profile):
    assert profile("cores = 64\n") is None


@pytest.mark.parametrize("name", profile_names()[1:])
def test_a_profile_that_the_harness_brings_has_its_name(name):
    found = profile_named(name)
    assert found is not None
    assert found.name == name
    assert found.used.hash != NOMINAL.hash
    assert len(found.figures.provenance) > 100, "it says where its figures come from"


def test_what_a_file_leaves_out_is_nominal(profile):
    figures, nominal = profile(SLOW).figures, nominal_profile()
    assert figures.latency_ms.store.value == 50
    assert figures.latency_ms.dial == nominal.latency_ms.dial
    assert (figures.rpcs, figures.cores) == (nominal.rpcs, nominal.cores)


def test_the_hash_is_of_the_figures_alone(profile):
    one = profile(SLOW)
    other = profile(f"# another day\ncores = 64\n{SLOW.replace('50', '50.0')}", source="elsewhere")
    assert one.used.hash == other.used.hash


def test_another_figure_is_another_hash(profile):
    assert profile(SLOW).used.hash != profile(SLOW.replace("50", "51")).used.hash


def test_a_hash_behind_the_name_must_be_the_profiles_own(profile, tmp_path):
    used = profile(SLOW).used
    assert profile_named(str(used)) == profile(SLOW)
    other = f"{used.name}@{'0' * 12}"
    with pytest.raises(BadInput, match=f"its hash must be {'0' * 12}, .* got {used.hash};"):
        profile_named(other)


def test_a_failure_is_replayed_with_the_profile_that_it_was_found_with(profile, tmp_path):
    used = profile(SLOW).used
    assert profile_again(used, None, what="token") == profile(SLOW)
    (tmp_path / "mine.toml").rename(tmp_path / "moved.toml")
    moved = profile_again(used, tmp_path / "moved.toml", what="token")
    assert moved is not None
    assert moved.used.hash == used.hash


@pytest.mark.parametrize("asked", ["live-2-cores", "nominal"])
def test_a_failure_is_not_replayed_with_another_profile(profile, asked):
    used = profile(SLOW).used
    with pytest.raises(BadInput, match=rf"^token: was found with the profile .*@{used.hash}, so"):
        profile_again(used, asked, what="token")


def test_a_failure_of_the_nominal_profile_is_not_replayed_with_another():
    with pytest.raises(BadInput, match=r"found with the profile nominal@.* got live-2-cores@"):
        profile_again(None, "live-2-cores", what="token")


def test_a_profile_that_is_gone_is_asked_for():
    gone = ProfileUsed(name="gone.toml", hash="0" * 12)
    with pytest.raises(
        BadInput, match=r"found with the profile gone.toml@.*: no such file .*bring"
    ):
        profile_again(gone, None, what="token")


# --- distributions

DRAWN: dict[str, dict[str, object]] = {
    "constant": {"value": 5},
    "uniform": {"low": 1, "high": 3},
    "triangular": {"low": 1, "mode": 2, "high": 3},
    "lognormal": {"median": 10, "sigma": 0.5, "cut": 12},
    "one_of": {"values": [5, 45], "weights": [0.2, 0.8]},
    "empirical": {"values": [9, 1, 5, 5]},
}


def distribution(kind):
    made = TypeAdapter(Distribution).validate_python({"kind": kind, **DRAWN[kind]})
    stream = random.Random(1)
    return made, [made.draw(stream) for _ in range(2_000)]


def test_each_kind_is_tried():
    assert set(DRAWN) == set(profile_schema_kinds())


def profile_schema_kinds():
    properties = [one["properties"] for one in profile_schema()["$defs"].values()]
    return [one["kind"]["const"] for one in properties if "kind" in one]


@pytest.mark.parametrize("kind", DRAWN)
def test_what_is_drawn_lies_within_the_bounds(kind):
    made, drawn = distribution(kind)
    low, high = made.bounds
    assert low <= min(drawn)
    assert max(drawn) <= high


@pytest.mark.parametrize("kind", DRAWN)
def test_in_seconds_it_draws_a_thousandth(kind):
    made, drawn = distribution(kind)
    stream = random.Random(1)
    again = [made.in_seconds.draw(stream) * 1e3 for _ in drawn]
    assert again == pytest.approx(drawn)
    assert made.in_seconds.bounds == pytest.approx([one / 1e3 for one in made.bounds])


def test_one_of_draws_its_values_in_their_shares():
    _, drawn = distribution("one_of")
    assert set(drawn) == {5, 45}
    assert drawn.count(45) / len(drawn) == pytest.approx(0.8, abs=0.03)


def test_one_of_without_shares_draws_all_alike():
    made = TypeAdapter(Distribution).validate_python({"kind": "one_of", "values": [5, 45]})
    stream = random.Random(1)
    assert sum(made.draw(stream) == 5 for _ in range(2_000)) == pytest.approx(1_000, abs=80)


def test_empirical_draws_between_neighbours_alike():
    made, drawn = distribution("empirical")
    shares = [
        sum(low <= one < high for one in drawn) / len(drawn)
        for low, high in pairwise(sorted({*made.values, 9.1}))
    ]
    assert shares == pytest.approx([1 / 3, 2 / 3, 0], abs=0.04)


def test_a_lognormal_has_half_below_its_median():
    _, drawn = distribution("lognormal")
    assert sum(one < 10 for one in drawn) / len(drawn) == pytest.approx(0.5, abs=0.03)


# --- the schema

SCHEMA = profile_schema()
FORMAT = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", profile_names())
def test_the_schema_takes_every_profile_that_the_harness_brings(name):
    path = files("harness.simulated.world") / "profiles" / f"{name}.toml"
    FORMAT.validate(tomllib.loads(path.read_text()))


# What only the reader can see: an order of values, a sum, or what JSON cannot tell apart.
BEYOND_A_SCHEMA = {
    "not a number", "the least over the most", "a mode outside", "a median over the cut",
    "shares of less", "a share too many", "an empty source",
}  # fmt: skip


@pytest.mark.parametrize(
    "make", [pytest.param(make, id=name) for name, make, _ in BAD if name not in BEYOND_A_SCHEMA]
)
def test_the_schema_refuses_what_the_reader_refuses(tmp_path, make):
    path = tmp_path / "mine.toml"
    make(path)
    try:
        data = tomllib.loads(path.read_text())
    except (OSError, ValueError):
        pytest.skip("no editor shows a schema's mistakes in what is no TOML")
    assert not FORMAT.is_valid(data)


def test_read_profile_reads_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('provenance = " somewhere "\ncores = 3\n')
    assert (read_profile(path).provenance, read_profile(path).cores) == ("somewhere", 3)
