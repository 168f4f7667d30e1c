"""One seed decides a run: the same digests in any process, whatever else differs around it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.command import HARNESS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = int(os.environ.get("HARNESS_SEEDS", "5"))


def digests(tmp_path: Path, *arguments: str, hash_seed: str = "0", **environment: str):
    """Run the harness in a process of its own; returns digests by scenario and seed."""
    report = tmp_path / f"{hash_seed}.json"
    done = subprocess.run(
        [*HARNESS, "run", "--quiet", "--json", str(report), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads(report.read_text(encoding="utf-8"))["runs"]
    return {(run["scenario"], run["seed"]): run["digest"] for run in runs}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return digests(tmp_path_factory.mktemp("reference"), "--seeds", str(SEEDS))


@pytest.mark.parametrize("hash_seed", ["1", "424242"])
def test_digests_do_not_depend_on_the_process(reference, tmp_path, hash_seed):
    assert digests(tmp_path, "--seeds", str(SEEDS), hash_seed=hash_seed) == reference


def test_other_seeds_give_other_digests(reference):
    # A regression may be a scenario's default order: then it has the digest of that run.
    found = [one for (name, _), one in reference.items() if not name.startswith("regressions/")]
    assert len(found) == len(list((ROOT / "scenarios").glob("*.toml"))) * SEEDS
    assert len(set(found)) == len(found)


def test_digests_do_not_depend_on_the_number_of_processes(reference, tmp_path):
    assert digests(tmp_path, "--seeds", str(SEEDS), "--jobs", "2") == reference


def test_digests_do_not_depend_on_reports_or_on_where_files_lie(reference, tmp_path):
    found = digests(
        tmp_path, "--seeds", "1", "--report", str(tmp_path / "report"), TMPDIR=str(tmp_path)
    )
    assert found == {key: value for key, value in reference.items() if key[1] == 0}


def test_a_scenario_run_by_itself_has_the_same_digest(reference, tmp_path):
    for number, path in enumerate(sorted((ROOT / "scenarios").glob("*.toml"))[:4]):
        (tmp_path / str(number)).mkdir()
        found = digests(tmp_path / str(number), str(path.relative_to(ROOT)))
        assert found == {(path.stem, 0): reference[path.stem, 0]}


def test_a_thousand_users_are_no_problem(tmp_path):
    text = (ROOT / "scenarios/twenty_users_create_at_once.toml").read_text(encoding="utf-8")
    many = text.replace("count = 20", "count = 1000").replace(
        ', data = { secret_byte = "{number}" }', ""
    )
    (tmp_path / "thousand.toml").write_text(
        many.replace("at_most = 1.5", "at_most = 20"), encoding="utf-8"
    )
    assert len(digests(tmp_path, str(tmp_path / "thousand.toml"))) == 1
