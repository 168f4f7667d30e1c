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

WHEELS_TOP_LEVEL = {
    "mosaic_harness": {"harness", "mosaic_harness_plugin.py"},
    "mosaic_serve": {"serve"},
}
SOURCE_TOP_LEVEL = {
    ".ci", ".github", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
    "LICENSE", "PKG-INFO", "README.md", "containers", "docs", "harness", "hatch_build.py",
    "pyproject.toml", "scenarios", "serve", "tests", "tox.ini",
}  # fmt: skip
NEEDED = (
    "harness/py.typed",
    "harness/results/schemas/report.schema.json",
    "harness/simulated/world/profiles/nominal.toml",
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
SHOP = """
import asyncio
import random
import serve

class Shop:
    async def buy(self, user: str) -> int:
        await asyncio.sleep(random.uniform(0.1, 0.2))
        return serve.PRICE
"""
# Somebody's own module of that name, which has nothing to do with mosaic-serve.
SHOPS_SERVE = "PRICE = 3\n"
SHOP_SCENARIO = """
claim = "A shop sells."
system = "shop:Shop"
users = { count = 3 }
[[phase]]
name = "sale"
[[phase.do]]
call = "buy"
user = "each"
[check]
success_share = { of = "buy", at_least = 1.0 }
"""


def main(folder: Path) -> None:
    """Check all archives in the folder."""
    wheels = {wheel.name.split("-")[0]: wheel for wheel in folder.glob("*.whl")}
    require(wheels.keys() == WHEELS_TOP_LEVEL.keys(), f"the wheels are {sorted(wheels)}")
    for name, wheel in wheels.items():
        check_top_level(wheel, WHEELS_TOP_LEVEL[name])
    check_harness(wheels["mosaic_harness"])
    check_serve(wheels["mosaic_serve"])
    (source,) = folder.glob("mosaic_harness-*.tar.gz")
    check_source(source)
    check_installed(wheels["mosaic_harness"], wheels["mosaic_serve"])
    print(f"{', '.join(wheel.name for wheel in wheels.values())}, {source.name}: sound")


def check_top_level(wheel: Path, expected: set[str]) -> None:
    """A wheel puts exactly these names into an environment."""
    names = zipfile.ZipFile(wheel).namelist()
    top = {name.split("/")[0] for name in names}
    (info,) = (name for name in top if name.endswith(".dist-info"))
    require(top == expected | {info}, f"the top level of {wheel.name} is {sorted(top)}")
    require(not archives_in(names), f"archives in {wheel.name}: {archives_in(names)}")


def check_harness(wheel: Path) -> None:
    """The harness's wheel has all its data and the compiled core; it needs no library of Miden."""
    archive = zipfile.ZipFile(wheel)
    names = archive.namelist()
    for name in NEEDED:
        require(name in names, f"{name} is missing from the wheel")
    compiled = any(name.startswith("harness/simulated/loop/_speedups.") for name in names)
    require(compiled or not can_compile(), "the compiled core is missing from the wheel")
    (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
    needs = [
        line.split()[1]
        for line in archive.read(metadata).decode().splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    of_miden = [one for one in needs if one.startswith(("mosaic", "base58", "bech32", "grpcio"))]
    require(not of_miden, f"the harness by itself needs {of_miden}")


def check_serve(wheel: Path) -> None:
    """The wheel of serve is typed, and has neither Rust nor its own project file."""
    names = zipfile.ZipFile(wheel).namelist()
    require("serve/py.typed" in names, "serve/py.typed is missing")
    foreign = [name for name in names if "/native/" in name or name.endswith((".toml", ".md"))]
    require(not foreign, f"{foreign} in the wheel of serve")


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


def check_installed(harness: Path, serve: Path) -> None:
    """Both wheels work in an empty environment, away from the checkout, and the harness alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        binaries = place / "venv" / "bin"
        install = (str(binaries / "python"), "-m", "pip", "install", "--quiet")
        (place / "shop.py").write_text(SHOP, encoding="utf-8")
        (place / "serve.py").write_text(SHOPS_SERVE, encoding="utf-8")
        (place / "shop.toml").write_text(SHOP_SCENARIO, encoding="utf-8")
        (place / "one.toml").write_text(SCENARIO, encoding="utf-8")
        run(*install, str(harness), cwd=place)
        run(str(binaries / "harness"), "run", "shop.toml", cwd=place)
        run(str(binaries / "python"), "-m", "harness", "explore", "shop.toml", cwd=place)
        alone = subprocess.run(
            [binaries / "harness", "run", "one.toml"],
            cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        require("mosaic-serve" in alone.stdout + alone.stderr, f"without serve: {alone.stdout}")
        (place / "serve.py").unlink()
        run(*install, str(serve), cwd=place)
        run(str(binaries / "harness"), "run", "one.toml", "--report", "report", cwd=place)
        require((place / "report" / "index.html").exists(), "no report was written")


def run(*command: str, cwd: Path) -> None:
    """Run a command, and fail with its output if it fails."""
    print(f"archives: {' '.join(command)}", flush=True)
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    require(done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}")


def require(holds: bool, otherwise: str) -> None:
    """End with a message unless it holds."""
    if not holds:
        sys.exit(f"archives: {otherwise}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
