"""Check what the built wheel and source archive hold, and that the wheel works by itself.

Usage: check_archives.py FOLDER. Ends with a message and 1 if something is missing or too much.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

WHEEL_TOP_LEVEL = {"harness", "serve"}
SOURCE_TOP_LEVEL = {
    ".ci", ".github", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "PKG-INFO",
    "README.md", "containers", "docs", "harness", "hatch_build.py", "pyproject.toml", "scenarios",
    "serve", "tests", "tox.ini",
}  # fmt: skip
NEEDED = (
    "harness/py.typed",
    "serve/py.typed",
    "harness/results/report.schema.json",
    "harness/simulated/world/profiles/default.toml",
    "harness/report/templates/style/style.css",
    "harness/miden/containers/miden_node/official.Dockerfile",
)
SCENARIO = """
claim = "A wheel by itself runs a scenario."
users = ["alice"]
[[phase]]
name = "ask"
[[phase.do]]
call = "get_client"
user = "alice"
with.network = "Localnet"
[check]
single_spawn = {}
"""


def main(folder: Path) -> None:
    """Check both archives in the folder."""
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    check_wheel(wheel)
    check_source(source)
    check_installed(wheel)
    print(f"{wheel.name}, {source.name}: sound")


def check_wheel(wheel: Path) -> None:
    """The wheel holds exactly the two packages, with all their data and no Rust."""
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    (info,) = (name for name in top if name.endswith(".dist-info"))
    require(top == WHEEL_TOP_LEVEL | {info}, f"the wheel's top level is {sorted(top)}")
    require(not archives_in(names), f"archives in the wheel: {archives_in(names)}")
    for name in NEEDED:
        require(name in names, f"{name} is missing from the wheel")
    require(not any("/native/" in name for name in names), "the Rust crate is in the wheel")
    compiled = any(name.startswith("harness/simulated/loop/_speedups.") for name in names)
    require(compiled or not can_compile(), "the compiled core is missing from the wheel")


def archives_in(names: list[str]) -> list[str]:
    """List what is itself a built archive, such as a wheel."""
    return [name for name in names if name.endswith((".whl", ".tar.gz", ".zip", ".egg"))]


def can_compile() -> bool:
    """Tell whether there is a C compiler, and what it needs of Python."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    headers = Path(sysconfig.get_paths()["include"], "Python.h")
    return shutil.which(compiler) is not None and headers.exists()


def check_source(source: Path) -> None:
    """The source archive holds what tests and containers need, and nothing that was built."""
    with tarfile.open(source) as archive:
        inside = ["/".join(name.split("/")[1:]) for name in archive.getnames()]
    names = [name for name in inside if name]
    top = {name.split("/")[0] for name in names}
    require(top == SOURCE_TOP_LEVEL, f"the sdist's top level is {sorted(top)}")
    require(not archives_in(names), f"archives in the sdist: {archives_in(names)}")
    for name in (
        "scenarios/README.md",
        "tests",
        "containers/README.md",
        "docs/README.md",
        "tox.ini",
        "LICENSE",
        "hatch_build.py",
        "harness/simulated/loop/turning.pxd",
        "harness/simulated/loop/primitives.pxd",
    ):
        require(any(one.startswith(name) for one in names), f"{name} is missing from the sdist")
    built = ("/target/", "__pycache__", ".so")
    require(not any(mark in one for one in names for mark in built), "built files")


def check_installed(wheel: Path) -> None:
    """The wheel runs a scenario in an empty environment, away from the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        python = place / "venv" / "bin" / "python"
        run(str(python), "-m", "pip", "install", "--quiet", str(wheel), cwd=place)
        (place / "one.toml").write_text(SCENARIO, encoding="utf-8")
        harness = place / "venv" / "bin" / "harness"
        run(str(harness), "run", "one.toml", "--report", "report", cwd=place)
        require((place / "report" / "index.html").exists(), "no report was written")


def run(*command: str, cwd: Path) -> None:
    """Run a command, and fail with its output if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")


def require(holds: bool, otherwise: str) -> None:
    """End with a message unless it holds."""
    if not holds:
        sys.exit(f"archives: {otherwise}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
