"""The terms of a search: what it was asked for, handed down from the command line to the token."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.choices.lateness import LATE_MS_DEFAULT

if TYPE_CHECKING:
    from harness.simulated.world.profile import NamedProfile

__all__ = ["SearchTerms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchTerms:
    """How orders are chosen, and on what.

    ``strategy`` is a name of ``--strategy``, ``seed`` (0 to 2^64 - 1) decides what is drawn.
    ``adversarial`` also permits orders that asyncio never produces, ``chaos`` makes faults and
    cancellations choices, too. ``cancel`` lets each task be cancelled at each of its awaits.
    ``late_ms`` is how late the loop may be, in milliseconds. ``system`` is the import path of the
    system under test; None for the one that the scenario's file names. A program has none.
    ``profile`` is the latency profile, None for the nominal one. ``allow`` names health checks that
    may fail. ``steps_max`` are the steps that a run may take, None for the limit of a search.
    ``watchdog`` ends steps that do not return.

    Who asks checks the values, and names them in its own words: an option, or an argument.
    """

    strategy: str = "portfolio"
    seed: int = 0
    adversarial: bool = False
    chaos: bool = False
    cancel: bool = False
    late_ms: float = LATE_MS_DEFAULT
    system: str | None = None
    profile: NamedProfile | None = None
    allow: tuple[str, ...] = ()
    steps_max: int | None = None
    watchdog: bool = True

    @property
    def mode(self) -> str:
        """The mode, as reports name it: "production" has only orders that asyncio can produce."""
        return "adversarial" if self.adversarial else "production"

    @property
    def words(self) -> str:
        """Strategy and mode in a few words, for a heading."""
        profile = "" if self.profile is None else f", profile {self.profile.used}"
        mode = ", adversarial" * self.adversarial + ", chaos" * self.chaos
        mode += ", cancel" * self.cancel
        if self.late_ms != LATE_MS_DEFAULT:
            mode += f", {self.late_ms:g} ms late"
        return f"{self.strategy}{mode}{profile}"

    @property
    def command(self) -> str:
        """The command line that asks for the same, without its scenarios and its budget."""
        mode = " --adversarial" * self.adversarial + " --chaos" * self.chaos
        mode += " --cancel" * self.cancel
        if self.late_ms != LATE_MS_DEFAULT:
            mode += f" --late {self.late_ms:g}"
        system = "" if self.system is None else f" --system {self.system}"
        if self.profile is not None:
            system += f" --profile {shlex.quote(str(self.profile.used))}"
        if self.steps_max is not None:
            system += f" --steps-max {self.steps_max}"
        return f"harness explore --strategy {self.strategy}{mode}{system} --seed {self.seed}"
