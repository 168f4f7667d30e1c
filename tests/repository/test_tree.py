"""What the tree holds: known names at its top, short folders, texts of a sensible size."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    ".ci", ".github", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
    "LICENSE", "README.md", "containers", "docs", "harness", "hatch_build.py", "pyproject.toml",
    "scenarios", "serve", "tests", "tox.ini",
}  # fmt: skip
FILE_BYTES_MAX = 300 * 1024
# Cargo writes it, one entry for each of some 400 crates.
MAY_BE_LARGE = {"serve/miden/native/Cargo.lock"}
FOLDER_FILES_MAX = 15
# Folders of like things: one check a file, one output format a file, one scenario a file (data).
MAY_BE_LONG = {"harness/checks", "harness/report/formats", "scenarios"}
PACKAGES_MAX = 20
LOOSE_FILES_MAX = 4


@cache
def files() -> tuple[PurePosixPath, ...]:
    """List the files that git tracks and that are there."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what an archive holds is tested by check_archives.py")
    command = [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(PurePosixPath(name) for name in listed.split("\0") if (ROOT / name).is_file())


def test_the_top_level_holds_exactly_the_known_names():
    assert {path.parts[0] for path in files()} == TOP_LEVEL


def test_no_file_is_large():
    large = {
        str(path): size
        for path in files()
        if str(path) not in MAY_BE_LARGE and (size := (ROOT / path).stat().st_size) > FILE_BYTES_MAX
    }
    assert large == {}


def test_every_file_is_a_text():
    binary = []
    for path in files():
        content = (ROOT / path).read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            binary.append(str(path))
        else:
            binary += [str(path)] * (b"\0" in content)
    assert binary == []


def long_folders() -> dict[str, int]:
    """Count the files of each folder that has too many."""
    counts = Counter(str(path.parent) for path in files() if len(path.parts) > 1)
    return {
        folder: count
        for folder, count in counts.items()
        if count > FOLDER_FILES_MAX and folder not in MAY_BE_LONG
    }


def test_no_folder_is_long_but_those_of_like_things():
    assert long_folders() == {}


def test_folders_that_may_be_long_are_there():
    assert {str(path.parent) for path in files()} >= MAY_BE_LONG


@pytest.mark.parametrize("package", ["harness", "serve"])
def test_the_listing_of_a_package_is_its_architecture(package):
    inside = [path.parts[1:] for path in files() if path.parts[0] == package]
    packages = {parts[0] for parts in inside if len(parts) > 1}
    # serve is a distribution of its own, described where it lies.
    loose = {parts[0] for parts in inside if len(parts) == 1} - {"README.md", "pyproject.toml"}
    assert len(packages) <= PACKAGES_MAX
    assert len(loose) <= LOOSE_FILES_MAX, sorted(loose)


@pytest.mark.parametrize(
    "folder",
    sorted(
        path.parent.relative_to(ROOT)
        for package in ("harness", "serve")
        for path in (ROOT / package).rglob("__init__.py")
    ),
    ids=str,
)
def test_a_package_says_in_one_sentence_what_is_inside(folder):
    text = (ROOT / folder / "__init__.py").read_text(encoding="utf-8")
    opening = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert opening.endswith("."), "the first line is a sentence"
    assert ". " not in opening, "the first line is one sentence"


@pytest.mark.parametrize("package", ["harness", "serve"])
def test_every_folder_with_modules_is_a_package(package):
    without = {
        str(folder.relative_to(ROOT))
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}
        if not (folder / "__init__.py").exists()
    }
    assert without == set()
