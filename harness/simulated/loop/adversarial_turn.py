"""The turn of an exploring loop that permutes the callbacks that are ready, in plain Python.

``_speedups.pyx`` does the same, compiled. A change of one is a change of both; tests compare them.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from harness.simulated.loop.pause import Pause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.choices.policies import Lane
    from harness.simulated.loop.handles import ReadyHandle, Timer

__all__ = ["first_of_lane", "turn_adversarial"]


def turn_adversarial(loop: Any) -> Pause:  # noqa: PLR0912 - a call a step would cost a tenth
    """Run callbacks, each chosen among those that are ready, while nothing watches the steps.

    Nearly all of a search's time goes by here. ``loop`` is an ``ExploringLoop``.
    """
    ready: list[ReadyHandle | Timer] = loop._ready
    queue = loop.environment.queue
    order = loop.policy.order
    pick = loop.picks.append
    record = loop.trace.steps.append
    left = 0
    for _ in repeat(None, loop.steps_max):
        if not left:
            # A pass is over: as in any loop, what is due by now becomes ready here.
            if queue:
                loop.outside.deliver_due()
            left = len(ready)
            if not left:
                if loop.outside.advance():
                    continue
                return loop._pause  # type: ignore[no-any-return]
        if queue and loop._time_runs_ahead():
            continue
        left -= 1
        index = 0
        if len(ready) > 1 and ready[0].lane >= 0:
            index = order(ready)
            if index and (index > 1 or ready[1].lane < 0 or ready[0].lane == ready[1].lane):
                index = first_of_lane(ready, index)
            pick(index)
        handle = ready.pop(index)
        call = handle.call
        if call is not None:
            if handle.lane >= 0:
                record(handle.lane)
            try:
                handle.context.run(*call)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as asyncio's own handles
                loop._callback_failed(handle, error)
            if loop._stopping:
                return Pause.STOPPED
    return Pause.SPINNING


def first_of_lane(ready: Sequence[Lane], index: int) -> int:
    """Return the index of the first callback of the lane at ``index``, which keeps its order.

    What is plumbing there stands for the lane before it.
    """
    while ready[index].lane < 0:
        index -= 1
    lane = ready[index].lane
    for earlier in range(index):
        if ready[earlier].lane == lane:
            return earlier
    return index
