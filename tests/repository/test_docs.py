"""What the Markdown files name: every link, file and module in them exists."""

from __future__ import annotations

import importlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("containers", "docs", "harness", "scenarios", "serve", "tests", ".ci", ".github")
PAGES = sorted(
    page.relative_to(ROOT)
    for page in (
        *ROOT.glob("*.md"),
        *(page for place in PLACES for page in (ROOT / place).rglob("*.md")),
    )
    if "target" not in page.parts
)
# What the pages show of other people's projects, and what is made when something is run.
EXAMPLES = {"tickets.toml", "tickets.py", "scenarios/broken.toml"}
MADE = {
    ".tox/report-benchmark/pytest-benchmark.json",
    "comment.md",
    "comparison.json",
    "comparison.md",
    "exploration.json",
    "miden.sqlite3",
    "report.json",
    "summary.md",
}
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ENDING = re.compile(r"\.(py|pxd|pyi|toml|md|json|sh|ini|yml|rs|css|html|sqlite3|Dockerfile)$")
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
MODULE = re.compile(r"(?:harness|serve)(?:\.\w+)+(?::\w+)?")


def text_of(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """Return a page without its blocks of code, which show programs and output."""
    return FENCE.sub("", text_of(page))


def anchors_of(page: Path) -> set[str]:
    """Return the names of a page's headings, as Markdown's viewers make them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(prose_of(page))
    }


def test_there_are_pages():
    assert {Path("README.md"), Path("ARCHITECTURE.md"), Path("docs/README.md")} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_leads_somewhere(page):
    lost = []
    for link in LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            lost.append(link)
    assert lost == []


def is_there(page: Path, name: str) -> bool:
    """Tell whether a name is a path from the root or from the page, or a file of the tree."""
    folder = (ROOT / page).parent
    if (ROOT / name).exists() or (folder / name).exists():
        return True
    # A page about a part may call a file by its name alone.
    return "/" not in name and any(
        next((ROOT / place).rglob(name), None) is not None for place in PLACES
    )


def looks_like_a_path(name: str) -> bool:
    if not PATH.fullmatch(name):
        return False
    return bool(ENDING.search(name)) or name.startswith(tuple(f"{place}/" for place in PLACES))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_file_that_is_named_exists(page):
    named = {name for name in CODE.findall(prose_of(page)) if looks_like_a_path(name)}
    assert {name for name in named - EXAMPLES - MADE if not is_there(page, name)} == set()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_module_that_is_named_exists(page):
    lost = []
    for name in {name for name in CODE.findall(prose_of(page)) if MODULE.fullmatch(name)}:
        module, _, attribute = name.partition(":")
        if not attribute and not spec_of(module):
            module, _, attribute = module.rpartition(".")
        if not spec_of(module) or (
            attribute and not hasattr(importlib.import_module(module), attribute)
        ):
            lost.append(name)
    assert lost == []


def spec_of(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def tree_in(page: Path) -> dict[str, list[str]]:
    """Read the folders that a map draws, as ``name/`` at the margin and two spaces in."""
    drawn: dict[str, list[str]] = {}
    for block in FENCE.findall(text_of(page)):
        for line in block.splitlines():
            if found := re.match(r"(  )?([\w.]+)/", line):
                if not found[1]:
                    top = found[2]
                    drawn[top] = []
                elif drawn:
                    drawn[top].append(found[2])
    return drawn


@pytest.mark.parametrize("package", ["harness", "serve"])
def test_the_map_shows_every_package_and_no_other(package):
    folders = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    assert set(tree_in(Path("ARCHITECTURE.md"))[package]) == folders


def test_every_page_of_the_documentation_is_in_its_index():
    first = Path("docs/README.md")
    lines = set(text_of(first).splitlines())
    pages = (page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md"))
    assert {page.with_suffix("").as_posix() for page in pages} - lines == {"README"}
