"""The opening of a backend by its name, with the partner that services talk to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.backends.port import Limits
from harness.errors import BadInput
from harness.history.records import NodeKind
from harness.systems.loading import load_partner

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.backends.port import Backend
    from harness.simulated.world.profile import NamedProfile

__all__ = ["DEFAULT_PARTNER", "open_backend"]

DEFAULT_PARTNER = "harness.miden.partner:miden"


def open_backend(
    node: str,
    *,
    needs_node: bool,
    profile: NamedProfile | None = None,
    limits: Limits | None = None,
    progress: Callable[[str], None] | None = None,
) -> Backend:
    """Open the backend that was asked for; only then are its packages imported.

    ``profile`` is what simulated latencies are drawn from, None for the nominal one. ``limits``
    are those of simulated runs.

    Raises:
        BadInput: No such backend.
        CouldNotRun: Something it needs is missing.
    """
    if node == NodeKind.SIMULATED:
        from harness.simulated.backend import SimulatedBackend  # noqa: PLC0415 - brings SimPy

        partner = partial(load_partner, DEFAULT_PARTNER)
        return SimulatedBackend(partner, profile, limits or Limits())
    if node == NodeKind.LIVE:
        from harness.live.backend import LiveBackend  # noqa: PLC0415 - brings Docker's packages

        real = load_partner(DEFAULT_PARTNER) if needs_node else None
        return LiveBackend(real, progress=progress or (lambda _line: None))
    raise BadInput(f'node: must be "simulated" or "live", got "{node}"')
