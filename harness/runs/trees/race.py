"""Two processes, one of each tree, that work at the same time on the same core.

The system lets them take turns every few milliseconds. So whatever else the machine does, and
however fast its cores are at the moment, touches both alike, and leaves their ratio. By turns of
whole runs it does not: beside ten busy processes the ratio of half a second of work of the same
code scattered by 6 %, on one core by 1.5 %.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import CouldNotRun
from harness.results.wording import one_line, shortened
from harness.runs.trees.tree import TOLD_LENGTH_MAX, told_by

if TYPE_CHECKING:
    from types import TracebackType

    from harness.runs.trees.tree import Tree

__all__ = ["Race"]

CHILD = Path(__file__).with_name("child.py")


class Race:
    """The two processes, fresh: what lies where in memory is drawn anew for each pair.

    ``number`` chooses the core, who begins, and the seed of the hashes of texts, which both share.
    """

    def __init__(
        self, trees: tuple[Tree, Tree], scratch: Path, *, number: int, **environment: str
    ) -> None:
        self._trees, self._scratch, self._number = trees, scratch, number
        self._environment = {**environment, "PYTHONHASHSEED": str(number)}
        self._runners: list[subprocess.Popen[str]] = []
        self.opened: list[dict[str, Any]] = []

    def __enter__(self) -> Race:
        with ExitStack() as stack:
            stack.callback(self._end)
            for tree in self._trees:
                with self._said(tree).open("w", encoding="utf-8") as said:
                    runner = subprocess.Popen(  # noqa: S603 - this interpreter, and our own file
                        [sys.executable, str(CHILD)],
                        cwd=tree.folder,
                        env=tree.environment(self._scratch, **self._environment),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=said,
                        text=True,
                        encoding="utf-8",
                    )
                self._runners.append(runner)
                _keep_on_one_core(runner.pid, self._number)
            self.opened = [self._answer(at) for at in (0, 1)]
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def both(self, do: str, **asked: Any) -> list[dict[str, Any]]:
        """Ask both for the same at the same time, and return the answers of the old and the new.

        Raises:
            CouldNotRun: The answer of one is an error, or one has ended.
        """
        self._number += 1
        line = json.dumps({"do": do, **asked}) + "\n"
        for at in (0, 1) if self._number % 2 else (1, 0):
            stream = self._runners[at].stdin
            # If it has ended, its answer says so.
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.write(line)
                    stream.flush()
        return [self._answer(at) for at in (0, 1)]

    def _answer(self, at: int) -> dict[str, Any]:
        tree, stream = self._trees[at], self._runners[at].stdout
        line = "" if stream is None else stream.readline()
        if not line:
            code = self._runners[at].wait()
            said = told_by(self._said(tree))
            raise CouldNotRun(f"{tree.name}: its process ended with {code}; it said: {said}")
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            why = one_line(shortened(found["error"], TOLD_LENGTH_MAX))
            raise CouldNotRun(f"{tree.name}: cannot be measured: {why}")
        return found

    def _said(self, tree: Tree) -> Path:
        return self._scratch / f"said-{tree.side}.txt"

    def _end(self) -> None:
        for one in self._runners:
            one.kill()
            with one:
                pass


def _keep_on_one_core(pid: int, number: int) -> None:
    """Keep a process on one of the cores that this one may use, where the system can do that."""
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(pid, {cores[number % len(cores)]})
