"""What runs in a process of a tree: scenarios and functions by that tree's own harness.

It is started as a file, not imported, and asks of the tree only what has long been public:
``run_scenario`` and ``simulate``. A line of JSON on standard input is answered by a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main"]


def main() -> None:
    """Answer what is asked until nobody asks any more."""
    # What the program under test prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _answer(answers, _opened)
    for line in sys.stdin:
        asked = json.loads(line)
        _answer(answers, partial(_DOES[asked.pop("do")], **asked))


def _answer(answers: IO[str], work: Callable[[], Any]) -> None:
    try:
        found = work()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whoever asked is told
        found = {"error": f"{type(error).__name__}: {error}"}
    answers.write(json.dumps(found) + "\n")
    answers.flush()


def _opened() -> dict[str, Any]:
    harness = import_module("harness")
    lacking = [name for name in ("run_scenario", "simulate") if not hasattr(harness, name)]
    if lacking:
        return {"error": f"its harness has no {lacking[0]}: it is older than what compare can ask"}
    try:
        core = import_module("harness.simulated.loop.core").core_name()
    except (ImportError, AttributeError):
        core = "plain Python"
    return {"core": core, "harness": str(Path(str(harness.__file__)).resolve().parent)}


def _warm_up(*, targets: list[str], seed: int, system: str | None) -> dict[str, Any]:
    """Run each target twice, and settle.

    Returns how many CPU seconds each second run took, all that the process has taken by now, and
    whether anything of the tree was run.
    """
    took = {}
    for target in targets:
        for _ in range(2):
            begin_s = time.process_time()
            _run(target, seed, system)
            took[target] = time.process_time() - begin_s
    gc.collect()
    # What is loaded by now stays: how much that is must not count in every run.
    gc.freeze()
    return {"took_s": took, "cpu_s": time.process_time(), "from_here": _from_here()}


def _measure(
    *, target: str, first: int, seed: int, seeds: int, runs: int, system: str | None
) -> dict[str, Any]:
    """Run a target so many times, with one seed after the other; return all their CPU seconds."""
    gc.collect()
    begin_s = time.process_time()
    for number in range(first, first + runs):
        _run(target, seed + number % seeds, system)
    return {"cpu_s": time.process_time() - begin_s}


def _virtual(*, target: str, seed: int, seeds: int) -> dict[str, Any]:
    """Run a function with each seed, and return how many virtual seconds each run took."""
    return {"virtual_s": [_run_function(target, seed + number) for number in range(seeds)]}


def _run(target: str, seed: int, system: str | None) -> None:
    if target.endswith(".toml"):
        import_module("harness").run_scenario(target, seed=seed, system=system)
    else:
        _run_function(target, seed)


def _run_function(target: str, seed: int) -> float:
    module, _, name = target.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    function = getattr(import_module(module), name)

    async def main() -> float:
        await function()
        return asyncio.get_running_loop().time()

    return float(import_module("harness").simulate(main, seed=seed))


def _from_here() -> bool:
    """Tell whether any module that was loaded lies in the tree."""
    here = Path.cwd().resolve()
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    places = [Path(one).resolve() for one in files if one and "site-packages" not in one]
    return any(one.is_relative_to(here) for one in places)


_DOES: dict[str, Callable[..., Any]] = {
    "warm_up": _warm_up,
    "measure": _measure,
    "virtual": _virtual,
}

if __name__ == "__main__":
    main()
