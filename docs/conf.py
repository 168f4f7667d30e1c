"""The settings of the documentation site: Sphinx reads Markdown from the root of the tree."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extension"))

project = "mosaic-harness"
author = "mosaic-harness"
release = version = installed_version("mosaic-harness")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]

# The source is the root of the tree, so that a link between two pages is the same here, on the
# site, and wherever else Markdown is shown.
root_doc = "docs/README"
include_patterns = [
    "*.md",
    "containers/README.md",
    "docs/**",
    "scenarios/README.md",
    "scenarios/regressions/README.md",
    "serve/README.md",
    "serve/miden/native/README.md",
    "tests/sensitivity/zoo/README.md",
]
# Folders that are not looked into.
exclude_patterns = ["**/.*", "**/build", "**/dist", "**/target", "**/node_modules"]

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

# "--seeds" is no dash, and no quotation mark in a command is a curly one.
smartquotes = False

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# The names of public things are headings; their fields would fill the margin.
toc_object_entries = False

html_theme = "furo"
html_title = f"mosaic-harness {release}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
# The page at the top of the site leads to the first page.
html_extra_path = ["site"]
