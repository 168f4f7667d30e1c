"""Own what the parameters of every check share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["PHASE", "STEP", "USER", "Parameters"]

# What a parameter names: the reader of scenario files looks the names up.
STEP: dict[str, Any] = {"names": "step"}
PHASE: dict[str, Any] = {"names": "phase"}
USER: dict[str, Any] = {"names": "user"}


class Parameters(BaseModel):
    """A check's parameters: no unknown keys, no silent conversions, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
