"""Build the compiled core of the virtual loop into the wheel, wherever there is a C compiler.

It is ``turning.py``, which is a module as it stands, compiled under the name ``_speedups`` with the
C types that lie beside it. Without a compiler the wheel is pure Python: the loop's plain core does
the same, only slower. To leave the compiled core out on purpose, set HARNESS_PURE_PYTHON=1 while
the wheel is built.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "harness.simulated.loop._speedups"
FOLDER = "harness/simulated/loop"
PLUGIN = "harness/pytest_plugin/plugin.py"
# What is compiled, and as what it lies before the compiler: types go by the name of the module.
SOURCES = {
    "turning.py": "turning.py",
    "turning.pxd": "_speedups.pxd",
    "primitives.pxd": "primitives.pxd",
}
# CPython's own flags ask for more, which makes the core no faster: it takes a third longer to
# compile, and what a debugger would need of C is five sixths of its file.
FLAGS = () if os.name == "nt" else ("-O2", "-g0")


class SpeedupsHook(BuildHookInterface):
    """Compiles the core: beside its source for an editable install, else into the wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell hatchling what to take into the wheel and what to call it."""
        # An editable install takes only what is told here; a wheel goes by pyproject.toml, too.
        build_data["force_include_editable"] = {PLUGIN: "mosaic_harness_plugin.py"}
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
        place = Path(FOLDER, built.name)
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

    place = folder / FOLDER
    place.mkdir(parents=True)
    for package in (place, place.parent, place.parent.parent):
        (package / "__init__.py").touch()
    digests = {}
    for name, copied in SOURCES.items():
        text = (root / FOLDER / name).read_bytes()
        digests[name] = hashlib.sha256(text).hexdigest()
        (place / copied).write_bytes(text)
    with (place / "turning.py").open("a", encoding="utf-8") as source:
        source.write(f"\nSOURCES = {digests!r}\n")
    # From there, so that a traceback names the text by where it lies in the project.
    with contextlib.chdir(folder):
        sources = [f"{FOLDER}/turning.py"]
        extension = Extension(MODULE, sources, extra_compile_args=list(FLAGS))
        modules = cythonize([extension], build_dir="c", quiet=True)
        distribution = Distribution({"name": MODULE, "ext_modules": modules})
        command = distribution.get_command_obj("build_ext")
        command.build_lib = "lib"
        command.build_temp = "objects"
        command.ensure_finalized()
        command.run()
        (built,) = (Path(output).resolve() for output in command.get_outputs())
    return built
