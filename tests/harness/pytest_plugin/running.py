"""How the tests of the plugin run pytest: with the plugin as it is installed, or from the tree."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tests.command import ROOT, run_command

if TYPE_CHECKING:
    from pathlib import Path

# A wheel has the plugin's hooks at its top, and only there.
INSTALLED = find_spec("mosaic_harness_plugin") is not None
PLUGIN = "mosaic_harness_plugin" if INSTALLED else "harness.pytest_plugin.plugin"
# Where these variables say that it runs in CI, pytest prints its summary in full width.
TERMINAL = {"COLUMNS": "120", "CI": "", "BUILD_NUMBER": ""}


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plugin = () if INSTALLED else ("-p", PLUGIN)
    command = ("-p", "no:cacheprovider", *plugin, *arguments)
    if not any(name.startswith("PYTHON") for name in environment):
        return run_command(
            "pytest", *command, folder=folder, environment={**TERMINAL, **environment}
        )
    return subprocess.run(
        [sys.executable, "-m", "pytest", *command],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": "" if INSTALLED else str(ROOT),
            **TERMINAL,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
