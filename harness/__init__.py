"""The harness that asyncio services are proven on, simulated and live.

Begin with a coroutine function of your own that raises when something is wrong:

    simulate(main)          run it once, in virtual time
    explore(main)           run it in many orders, until one fails
    verify(main)            run it twice: does one seed decide everything?

or with a scenario file, which says who does what at once and what must hold:

    run_scenario(path)      run it, simulated or live
    explore_scenario(path)  search its orders for one that fails
    verify_scenario(path)   run it twice, and compare

What they give and raise: RunResult, Exploration, Verdict; HarnessError with BadInput, CouldNotRun,
Deadlock, FailureFound, HealthCheckFailed, LimitReached, NotDeterministic, Unsupported.
Public are these names, harness.consistency, which checks histories, and harness.systems.port, which
adapters implement. All else is private and may change with any release: docs/stability.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.api.exploration import explore
    from harness.api.scenarios import explore_scenario, run_scenario, verify_scenario
    from harness.api.simulation import simulate, verify
    from harness.errors import (
        BadInput,
        CouldNotRun,
        Deadlock,
        FailureFound,
        HarnessError,
        HealthCheckFailed,
        LimitReached,
        NotDeterministic,
        Unsupported,
    )
    from harness.results.explorations import Exploration
    from harness.results.runs import RunResult
    from harness.results.verdict import Verdict

__version__ = "0.1.0"

__all__ = [
    "BadInput",
    "CouldNotRun",
    "Deadlock",
    "Exploration",
    "FailureFound",
    "HarnessError",
    "HealthCheckFailed",
    "LimitReached",
    "NotDeterministic",
    "RunResult",
    "Unsupported",
    "Verdict",
    "__version__",
    "explore",
    "explore_scenario",
    "run_scenario",
    "simulate",
    "verify",
    "verify_scenario",
]

# Where each name is defined: it is imported when it is first asked for, so that a part of the
# harness costs only those who use it.
_HOMES = {
    "explore": "harness.api.exploration",
    **dict.fromkeys(
        ("explore_scenario", "run_scenario", "verify_scenario"), "harness.api.scenarios"
    ),
    **dict.fromkeys(("simulate", "verify"), "harness.api.simulation"),
    "Exploration": "harness.results.explorations",
    "RunResult": "harness.results.runs",
    "Verdict": "harness.results.verdict",
}


def __getattr__(name: str) -> Any:
    """Import a public name from where it is defined."""
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}"
        raise AttributeError(msg)
    # Not kept: help() would print whatever somebody has used.
    return getattr(import_module(_HOMES.get(name, "harness.errors")), name)
