"""The reasons for which a loop stops turning."""

from __future__ import annotations

from enum import Enum

__all__ = ["Pause"]


class Pause(Enum):
    """Why a loop stopped turning."""

    STOPPED = "stop() was called"
    STUCK = "nothing is ready and nothing is scheduled"
    TIME_LIMIT = "the limit of virtual time has come"
    SPINNING = "a moment of virtual time does not end"
    STEPS = "its limit of steps has come"
    IDLING = "the simulated world goes on, but no task becomes ready any more"
