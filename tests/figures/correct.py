"""How many correct programs a search accuses, in production order and with cancellations."""

from __future__ import annotations

from harness import explore
from harness.errors import HarnessError
from tests.figures.figure import Figure, Options
from tests.sensitivity.correct.corpus import CORRECT

__all__ = ["RUNS", "accused"]

RUNS = 2_000


def accused(_options: Options) -> Figure:
    """Search each program twice; name those that fail, though nothing is wrong with them."""
    wrong = []
    for name, program in CORRECT.items():
        for cancel in (False, True):
            try:
                explore(program, runs=RUNS, cancel=cancel, allow=["one_order"])
            except HarnessError as error:
                line = str(error).splitlines()[1:2]
                wrong.append(f"{name}{' with cancellations' * cancel}: {''.join(line).strip()}")
    value = f"{len(wrong)} of {2 * len(CORRECT)} searches accuse"
    return Figure(value="; ".join([value, *wrong]), met=not wrong)
