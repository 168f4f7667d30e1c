"""A drawn latency that remembers between which bounds it was drawn."""

from __future__ import annotations

__all__ = ["Drawn"]


class Drawn(float):
    """Seconds that were drawn between two bounds.

    It is an ordinary number. A run that explores may let what takes this long end at any other
    moment between ``low_s`` and ``high_s``: that is another run that could have happened.
    """

    __slots__ = ("high_s", "low_s")

    low_s: float
    high_s: float

    @classmethod
    def between(cls, low_s: float, value_s: float, high_s: float) -> Drawn:
        """Make it from the drawn value and its bounds, in seconds."""
        drawn = cls(value_s)
        drawn.low_s, drawn.high_s = low_s, high_s
        return drawn
