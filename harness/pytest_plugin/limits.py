"""The limits of runs as pytest's options say them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

__all__ = ["limits_of"]


def limits_of(config: pytest.Config) -> dict[str, Any]:
    """Return them by the names of the API's arguments; under --pdb nobody is in a hurry."""
    return {
        "steps_max": config.getoption("--harness-steps-max"),
        "watchdog": not config.getoption("usepdb", default=False),
    }
