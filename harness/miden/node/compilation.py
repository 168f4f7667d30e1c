"""The compilation of the node on this machine, where no Rust image is available."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import CouldNotRun
from harness.miden.node.binaries import BINARY_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compile_on_host"]

_PACKAGES = "gcc g++ clang libclang-dev cmake make pkg-config libssl-dev"


def compile_on_host(
    progress: Callable[[str], None], *, version: str, root: Path | None = None
) -> Path:
    """Compile node and validator with cargo, and return the folder that holds both.

    They are kept in ``root`` (default: in the user's cache folder), so this takes long only once.

    Raises:
        CouldNotRun: There is no cargo, or the compilation failed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = root or cache / "mosaic-harness" / f"miden-node-{version}"
    binaries = root / "bin"
    for name in reversed(BINARY_NAMES):
        if (binaries / name).is_file():
            progress(f"{binaries / name} was compiled before")
            continue
        progress(f"compiling {name} {version} with cargo (15 to 60 minutes on two cores)")
        _cargo_install(name, version, root=root, progress=progress)
    return binaries


def _cargo_install(name: str, version: str, *, root: Path, progress: Callable[[str], None]) -> None:
    cargo = shutil.which("cargo")
    if cargo is None:
        raise CouldNotRun(
            "no Rust image can be pulled, and cargo is not installed here: install Rust 1.93 or "
            f"later (rustup.rs) and the Debian packages {_PACKAGES}, or set "
            "HARNESS_NODE_IMAGE to a folder with miden-node and miden-validator"
        )
    command = [cargo, "install", name, "--version", f"={version}", "--locked", "--root", str(root)]
    last: deque[str] = deque(maxlen=25)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with subprocess.Popen(  # noqa: S603 - cargo from PATH, fixed arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            try:
                for number, line in enumerate(process.stdout or ()):
                    last.append(line.rstrip())
                    if number % 50 == 0:
                        progress(f"cargo: {line.strip()}")
            except BaseException:
                process.terminate()
                raise
    except OSError as error:
        raise CouldNotRun(f"{name}: cannot be compiled into {root}: {error}") from error
    if process.returncode != 0:
        output = "\n".join(f"  | {line}" for line in last)
        full = "No space left" in output
        advice = "the disk is full" if full else f"are these Debian packages there: {_PACKAGES}?"
        raise CouldNotRun(f"cargo could not compile {name} {version}: {advice}\n{output}")
