"""The health checks of a search: what can be wrong with the search itself, and how to allow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["HEALTH_CHECKS", "ONE_ORDER", "check_allowed", "health_text"]

ONE_ORDER = "one_order"
HEALTH_CHECKS = {
    ONE_ORDER: "all runs took one order of events, so nothing is known of any other;"
    " to make it vary: draw latencies (await asyncio.sleep(random.uniform(0.01, 0.03)) in the place"
    " of a fixed sleep), let callers arrive at one instant, await something from outside"
    " (asyncio.to_thread), give the service points, or search with cancel or adversarial orders, a"
    " scenario also with chaos"
}


def check_allowed(names: Collection[str], *, where: str) -> None:
    """Check that there are health checks of these names.

    Raises:
        BadInput: There is none of a name.
    """
    known = ", ".join(f'"{name}"' for name in HEALTH_CHECKS)
    if isinstance(names, str):
        raise BadInput(f'{where}: must be a list of names, got "{names}"; known: {known}')
    for name in names:
        if name not in HEALTH_CHECKS:
            raise BadInput(f"{where}: there is no health check {name!r}; known: {known}")


def health_text(name: str) -> str:
    """Say what a health check found, how to mend it, and how to allow it."""
    return f'{name}: {HEALTH_CHECKS[name]}; or allow it: allow = ["{name}"], --allow {name}'
