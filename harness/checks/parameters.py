"""What the parameters of every check share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["PHASE", "STEP", "USER", "Names", "Parameters"]

# What a parameter names; the reader of scenario files looks the names up.
STEP: dict[str, Any] = {"names": "step"}
PHASE: dict[str, Any] = {"names": "phase"}
USER: dict[str, Any] = {"names": "user"}

# Names of things outside the file: locks, tasks, calls.
Names = list[Annotated[str, StringConstraints(min_length=1, max_length=500)]]


class Parameters(BaseModel):
    """A check's parameters: no unknown keys, no silent conversions, no infinities."""

    # Built when it is first used: a scenario uses few checks.
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )
