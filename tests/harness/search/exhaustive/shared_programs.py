"""Programs of two tasks that share state by some means, and the outcomes that a search finds."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from harness.choices.policies import StepWatcher
from harness.search.exhaustive.search import Exhaustive
from harness.simulated.repeated_runs import SearchRuns
from tests.harness.search.exhaustive import shared_things, shared_things_rarer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.harness.search.exhaustive.shared_state import Means

__all__ = ["WAYS", "outcomes_of", "program_by", "program_of"]

# How the tasks come to what they share.
WAYS = {
    "closure": "s",
    "argument": "s",
    "attribute": "held.it",
    "item": "table['it']",
    "call": "get()",
    "global": "SHARED",
}

_PROGRAM = """
async def main():
    global SHARED
    made = SHARED = {made}
    {closure} = made
    held = Holder(made)
    table = {{"it": made}}
    def get():
        return made
{tasks}
    found = await asyncio.gather({calls}, return_exceptions=True)
    return str((found, {end}))
"""
_TASK = """
async def task_{number}({parameter}):
    r = None
    await asyncio.sleep(0)
{does}
    return r
"""


class Holder:
    """Has what is shared as an attribute."""

    def __init__(self, it: Any) -> None:
        self.it = it


def program_of(made: str, does: Sequence[str], *, way: str = "closure", end: str = "0") -> Any:
    """Make a program whose tasks each do one of ``does``; return it, and where outcomes go."""
    own = way == "argument"
    tasks = [
        _TASK.format(
            number=number,
            parameter="s" if own else "",
            does=textwrap.indent(_reached(text, way), "    "),
        )
        for number, text in enumerate(does)
    ]
    text = _PROGRAM.format(
        made=made,
        closure="s" if way == "closure" else "unused",
        tasks=textwrap.indent("".join(tasks), "    "),
        calls=", ".join(f"task_{number}({'made' if own else ''})" for number in range(len(does))),
        end=re.sub(r"\bs\b", "made", end),
    )
    code = compile(text, f"<shared state: {does}>", "exec")
    words = set(re.findall(r"\w+", text))
    seen: list[Any] = []

    async def run() -> None:
        every = shared_things.names() | shared_things_rarer.names()
        space = {name: one for name, one in every.items() if name in words}
        space["Holder"] = Holder
        exec(code, space)
        seen.append(await space["main"]())

    run.text = text  # type: ignore[attr-defined]
    return run, seen


def _reached(text: str, way: str) -> str:
    # "s |= m" and the like bind the name anew, which is only one way where it is a name.
    return re.sub(r"(?<![\w.])s\b(?!=)(?!')", lambda _: WAYS[way], text.replace("; ", "\n"))


def searched(main: Any, *, reduced: bool, adversarial: bool = True, runs_max: int = 5_000) -> Any:
    """Search a program to its end; return the strategy."""
    strategy = Exhaustive(reduced=reduced)
    with SearchRuns(main, adversarial=adversarial) as searching:
        while not strategy.exhausted and strategy.runs < runs_max:
            policy = strategy.begin(strategy.runs)
            strategy.finish(searching.run(policy, watcher=strategy.watcher or StepWatcher()))
    return strategy


def outcomes_of(program: Any, *, reduced: bool, adversarial: bool = True) -> Any:
    """Return all outcomes of a program, and the strategy that found them."""
    main, seen = program
    seen.clear()
    strategy = searched(main, reduced=reduced, adversarial=adversarial)
    return set(seen), strategy


def program_by(means: Means, way: str) -> Any:
    """Make the program of two tasks that share state by these means."""
    return program_of(means.made, (means.first, means.second), way=way, end=means.end)
