"""How late a busy loop may be in a search: the default, and the bounds of what one may ask for."""

from __future__ import annotations

from harness.errors import BadInput

__all__ = ["LATE_MS_DEFAULT", "LATE_MS_MAX", "checked_late_ms"]

# What a few callbacks that compute, or a short pause of the machine, easily cost.
LATE_MS_DEFAULT = 5.0

# A loop that stands still for longer is no matter of order any more.
LATE_MS_MAX = 60_000.0


def checked_late_ms(value: object, *, where: str) -> float:
    """Return how late a loop may be, in milliseconds, if it is a number within the bounds.

    Raises:
        BadInput: It is not; the message begins with ``where``, the name of the option.
    """
    number = float(value) if type(value) in {int, float} else -1.0  # type: ignore[arg-type]
    if not 0.0 <= number <= LATE_MS_MAX:
        raise BadInput(
            f"{where}: must be 0 to {LATE_MS_MAX:,.0f} milliseconds, got {value!r};"
            f" leave it out for {LATE_MS_DEFAULT:g}"
        )
    return number
