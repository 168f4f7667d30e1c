"""The recipes and README: each is run as its page shows it, and prints what its page says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.docs.page import blocks_of, fits, printed_by

ROOT = Path(__file__).parents[2]
RECIPES = [ROOT / "README.md", *sorted((ROOT / "docs/recipes").glob("*.md"))]


def write_files(blocks, folder):
    for block in blocks:
        if block.file is not None:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_prints_what_its_page_says(page, tmp_path):
    for block in blocks_of(page):
        write_files([block], tmp_path)
        if block.language == "console":
            printed = printed_by([command for command, _ in block.commands], tmp_path)
            for (command, shown), seen in zip(block.commands, printed, strict=True):
                assert fits(shown, seen), f"$ {command}\n{seen}\nwhere the page has\n{shown}"


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_a_recipe_shows_nothing_that_is_not_run(page):
    blocks = blocks_of(page)
    idle = [one for one in blocks if one.file is None and not one.commands]
    assert idle == []
    assert any(one.commands for one in blocks)


def test_the_workflow_runs_what_its_page_has(tmp_path):
    """Each step but the installation, which the test's own environment has behind it."""
    page = next(page for page in RECIPES if page.stem == "project")
    write_files(blocks_of(page), tmp_path)
    (workflow,) = (tmp_path / ".github/workflows").glob("*.yml")
    (job,) = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    install, *commands = commands
    assert "pip install" in install
    # Short here: how long a search goes on is no claim of the page.
    commands = [command.replace("--time 30", "--runs 20") for command in commands]
    summary = tmp_path / "summary"
    steps = [f"GITHUB_STEP_SUMMARY={summary}", *(f"{one} || echo FAILED" for one in commands)]
    printed = printed_by(steps, tmp_path)
    assert "FAILED" not in "".join(printed), printed
    assert "1 scenario searched, 0 failures" in summary.read_text(encoding="utf-8")
    assert (tmp_path / "report" / "index.html").exists()
