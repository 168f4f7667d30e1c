"""The cancelling loop: an exploring loop in which cancellations are choices, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.choices.policies import StepWatcher
from harness.simulated.cancelling.canceller import Canceller
from harness.simulated.loop.exploring_loop import ExploringLoop
from harness.simulated.loop.outside.outside_order import OutsideOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane, OrderPolicy

__all__ = ["CancellingLoop"]


class _Nobody(StepWatcher):
    """Looks on where nobody else does."""

    needs_loop = False


class _OutsideOrder(OutsideOrder):
    """The order of what comes from outside, which may come after a cancellation."""

    _loop: Any

    def advance(self) -> bool:
        """Move the clock to what comes next, unless a cancellation lets somebody run before."""
        loop = self._loop
        if loop.canceller is not None and not loop._ready and self.soonest_s() is not None:
            loop.canceller.quiet()
            if loop._ready:
                return True
        return super().advance()


class CancellingLoop(ExploringLoop):
    """Asks at each await whether to cancel. It is a class of its own: other searches pay nothing.

    ``canceller`` is None once the run is over.
    """

    _make_outside = _OutsideOrder

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tasks.notes_makers = True
        self.canceller: Canceller | None = Canceller(self)

    def begin_anew(
        self, policy: OrderPolicy, *, seed: int, watcher: StepWatcher | None = None
    ) -> bool:
        """Reset to a loop that was just made, see ``ExploringLoop``."""
        if not super().begin_anew(policy, seed=seed, watcher=watcher):
            return False
        self.canceller = Canceller(self)
        return True

    def run_is_over(self) -> None:
        """Cancel nobody any more by choice."""
        super().run_is_over()
        self.canceller = None

    def _watched_by(self, watcher: StepWatcher | None) -> None:
        # Tasks have names by ancestry where somebody looks on, and a cancellation needs them.
        super()._watched_by(watcher or _Nobody())

    def _step(self, handle: Any, overtaken: Sequence[Lane]) -> None:
        canceller = self.canceller
        task = None if canceller is None else canceller.before(handle)
        if canceller is None or task is None:
            super()._step(handle, overtaken)
            return
        delivery = canceller.delivery_of(task)
        if delivery is None:
            super()._step(handle, overtaken)
        else:
            step = super()._step
            delivery.step(task, lambda: step(handle, overtaken))
        canceller.after(task)
