"""Build the compiled core of the virtual loop into the wheel, wherever there is a C compiler.

Without one the wheel is pure Python: the loop's plain core does the same, only slower. To leave the
compiled core out on purpose, set HARNESS_PURE_PYTHON=1 while the wheel is built.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "harness.simulated.loop._speedups"
SOURCE = "harness/simulated/loop/_speedups.pyx"


class SpeedupsHook(BuildHookInterface):
    """Compiles the core: beside its source for an editable install, else into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what to take into the wheel and what to call it."""
        if os.environ.get("HARNESS_PURE_PYTHON", "") not in {"", "0"}:
            return
        self._folder = tempfile.mkdtemp(prefix="speedups-")
        try:
            built = _compile(Path(self.root), Path(self._folder))
        except BaseException as error:
            # Whatever a compiler has to say, its absence included, must not keep anybody from
            # installing; setuptools and distutils raise SystemExit, too.
            if isinstance(error, KeyboardInterrupt):
                raise
            self.app.display_warning(
                f"the virtual loop's core was not compiled ({type(error).__name__}: {error});"
                " its plain Python core is used"
            )
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        place = Path(SOURCE).with_name(built.name)
        if version == "editable":
            shutil.copyfile(built, Path(self.root) / place)
        else:
            build_data["force_include"][str(built)] = place.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the compiler left."""
        del version, build_data, artifact_path
        shutil.rmtree(getattr(self, "_folder", ""), ignore_errors=True)


def _compile(root: Path, folder: Path) -> Path:
    """Translate to C and compile, in a folder; return the extension module's file."""
    from Cython.Build import cythonize  # noqa: PLC0415 - only where something is compiled
    from setuptools import Extension  # noqa: PLC0415
    from setuptools.dist import Distribution  # noqa: PLC0415

    source = folder / SOURCE
    source.parent.mkdir(parents=True)
    shutil.copyfile(root / SOURCE, source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    extension = Extension(MODULE, [str(source)], define_macros=[("SPEEDUPS_SOURCE", f'"{digest}"')])
    modules = cythonize([extension], build_dir=str(folder / "c"), quiet=True)
    command = Distribution({"name": MODULE, "ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "objects")
    command.ensure_finalized()
    command.run()
    (built,) = (Path(output) for output in command.get_outputs())
    return built
