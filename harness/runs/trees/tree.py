"""One of two trees: a folder or a revision, which harness it runs with, and its reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import BadInput, CouldNotRun
from harness.results.wording import one_line, shortened

__all__ = ["Tree", "find_trees", "reports_of", "told_by"]

TOLD_LENGTH_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree: ``name`` as it was given, ``folder`` where it lies, ``side`` "old" or "new".

    ``has_harness``: it holds the package harness itself, and runs with that one.
    """

    name: str
    side: str
    folder: Path
    has_harness: bool

    def environment(self, scratch: Path, **more: str) -> dict[str, str]:
        """Return the environment of this tree's processes; what they compile stays in scratch."""
        paths = [*map(str, self._sources()), *_this_harness(), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(one for one in paths if one),
            "PYTHONSAFEPATH": "1",
            "PYTHONPYCACHEPREFIX": str(scratch / f"compiled-{self.side}"),
            **more,
        }

    def _sources(self) -> list[Path]:
        """List where the tree has modules, so that what is installed does not hide them."""
        own = [self.folder] if self.has_harness else []
        return [*own, *(one for one in (self.folder / "src",) if one.is_dir())]


def find_trees(old: str, new: str, scratch: Path) -> tuple[Tree, Tree]:
    """Find two trees, each a folder, or a revision of the git repository of the current folder.

    A revision is unpacked in ``scratch``.

    Raises:
        BadInput: One is neither, or both are the same.
    """
    first = _tree(old, "old", scratch)
    second = _tree(new, "new", scratch)
    if first.folder == second.folder:
        raise BadInput(
            f"{old} and {new} are the same folder; name two, or a revision of git and a folder:"
            " harness compare --run HEAD ."
        )
    return first, second


def reports_of(
    trees: tuple[Tree, Tree],
    paths: list[str],
    scratch: Path,
    *,
    seed: int,
    seeds: int,
    system: str | None,
) -> list[dict[str, Any]]:
    """Run the scenarios of both trees, at the same time, and return what each reports.

    Raises:
        BadInput: The command line of a tree refuses them.
        CouldNotRun: It ends without a report.
    """
    asked = ["--seed", str(seed), "--seeds", str(seeds), "--quiet"]
    asked += [] if system is None else ["--system", system]
    started = []
    try:
        for tree in trees:
            command = [sys.executable, "-m", "harness", "run", *paths, *asked]
            said = (scratch / f"run-{tree.side}.txt").open("w+", encoding="utf-8")
            process = subprocess.Popen(  # noqa: S603 - this interpreter, and what the user named
                [*command, "--json", str(_report(tree, scratch))],
                cwd=tree.folder,
                env=tree.environment(scratch),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
            )
            said.close()
            started.append(process)
        for process in started:
            process.wait()
    finally:
        for process in started:
            process.terminate()
            process.wait()
    return [_read(tree, one.returncode, scratch) for tree, one in zip(trees, started, strict=True)]


def told_by(path: Path) -> str:
    """Return the end of what a process wrote, on one line."""
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    lines = text.splitlines()[-5:]
    return one_line(shortened("; ".join(lines), TOLD_LENGTH_MAX)) or "nothing"


def _this_harness() -> list[str]:
    """Say where the harness that runs lies, for a tree without one, unless it is installed."""
    place = Path(__file__).resolve().parents[3]
    return [] if place.name in {"site-packages", "dist-packages"} else [str(place)]


def _report(tree: Tree, scratch: Path) -> Path:
    return scratch / f"report-{tree.side}.json"


def _read(tree: Tree, code: int, scratch: Path) -> dict[str, Any]:
    told = told_by(scratch / f"run-{tree.side}.txt")
    if code == BadInput.exit_code:
        raise BadInput(f"{tree.name}: harness run refuses its scenarios: {told}")
    try:
        found: dict[str, Any] = json.loads(_report(tree, scratch).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CouldNotRun(f"{tree.name}: harness run ended with {code}: {told}") from error
    return found


def _tree(name: str, side: str, scratch: Path) -> Tree:
    given = Path(name)
    if given.is_dir():
        folder = given.resolve()
    elif given.exists():
        raise BadInput(f"{name}: must be a folder, or a revision of git; it is a file")
    else:
        folder = scratch / side
        folder.mkdir()
        _unpack(name, folder)
    own = folder / "harness"
    has_harness = (own / "__main__.py").is_file() and (own / "cli").is_dir()
    return Tree(name=name, side=side, folder=folder, has_harness=has_harness)


def _unpack(name: str, folder: Path) -> None:
    """Unpack what the current folder was at a revision."""
    neither = f"{name}: no such folder, and no revision of git here"
    try:
        found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode:
            said = found.stderr.decode(errors="replace").strip()
            raise BadInput(f"{neither}{f' ({one_line(said)})' if said else ''}; name one of them")
        packed = _git("archive", "--format=tar", found.stdout.decode().strip())
        unpacked = subprocess.run(  # noqa: S603 - fixed but for a folder of ours
            ["tar", "-x", "-C", str(folder)],  # noqa: S607 - tar has no one place
            input=packed.stdout,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise BadInput(f"{neither}, since there is no {error.filename}; name a folder") from error
    if packed.returncode or unpacked.returncode:
        said = (packed.stderr or unpacked.stderr).decode(errors="replace").strip()
        raise CouldNotRun(f"{name}: cannot be unpacked: {one_line(said)}; name a folder instead")


def _git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", *arguments]
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - see above
