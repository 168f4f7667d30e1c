"""The kinds of distributions that a latency profile may draw from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    import random

__all__ = [
    "DAY_MS",
    "Constant",
    "Distribution",
    "Empirical",
    "LogNormal",
    "OneOf",
    "ProfileTable",
    "Triangular",
    "Uniform",
]

T = TypeVar("T", bound="ProfileTable")

DAY_MS = 86_400_000
VALUES_MAX = 10_000
# Shares are written with few digits: [0.33, 0.33, 0.34] is meant, and so is [0.333, 0.333, 0.333].
SHARES_OFF_MAX = 0.001 + 1e-9

Milliseconds = Annotated[float, Field(ge=0, le=DAY_MS)]
# A file has a list; what has been read can be compared, and never changes.
Many = Field(strict=False, min_length=2, max_length=VALUES_MAX)


class ProfileTable(BaseModel):
    """A table of a profile: no unknown keys, no silent conversions, never changed once read."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True
    )


class _Distribution(ProfileTable, ABC):
    """What a latency is drawn from; ``_TIMES`` are the keys that hold milliseconds."""

    _TIMES: ClassVar[tuple[str, ...]]

    @abstractmethod
    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """The least and the most that can be drawn, milliseconds."""

    @property
    def in_seconds(self) -> Self:
        """The same with its times in seconds, which is then what it draws."""
        return self.model_copy(update={key: _thousandth(getattr(self, key)) for key in self._TIMES})


class Constant(_Distribution):
    """Always the same value."""

    _TIMES = ("value",)
    kind: Literal["constant"] = Field(description="which distribution it is")
    value: Milliseconds = Field(description="the value")

    def draw(self, stream: random.Random) -> float:  # noqa: ARG002 - one shape for all
        """Return the value; milliseconds."""
        return self.value

    @property
    def bounds(self) -> tuple[float, float]:
        """The value, twice; milliseconds."""
        return self.value, self.value


class Uniform(_Distribution):
    """Any value between two bounds, all equally likely."""

    _TIMES = ("low", "high")
    kind: Literal["uniform"] = Field(description="which distribution it is")
    low: Milliseconds = Field(description="the least")
    high: Milliseconds = Field(description="the most")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, "low", "high")

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return stream.uniform(self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds; milliseconds."""
        return self.low, self.high


class Triangular(_Distribution):
    """A value between two bounds, most often near ``mode``."""

    _TIMES = ("low", "mode", "high")
    kind: Literal["triangular"] = Field(description="which distribution it is")
    low: Milliseconds = Field(description="the least")
    mode: Milliseconds = Field(description="the most frequent")
    high: Milliseconds = Field(description="the most")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, "low", "mode", "high")

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return stream.triangular(self.low, self.high, self.mode)

    @property
    def bounds(self) -> tuple[float, float]:
        """The two bounds; milliseconds."""
        return self.low, self.high


class LogNormal(_Distribution):
    """A long tail: half lies below ``median``, nothing above ``cut`` or three sigma below."""

    _TIMES = ("median", "cut")
    kind: Literal["lognormal"] = Field(description="which distribution it is")
    median: float = Field(gt=0, le=DAY_MS, description="half of the values lie below it")
    sigma: float = Field(
        gt=0, le=3, description="deviation of the logarithm, no time: 0.5 is a long tail"
    )
    cut: float = Field(gt=0, le=DAY_MS, description="the most; what is drawn above it becomes it")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _ordered(self, "median", "cut")

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        low, cut = self.bounds
        return min(max(stream.lognormvariate(math.log(self.median), self.sigma), low), cut)

    @property
    def bounds(self) -> tuple[float, float]:
        """What lies three sigma below the median, and the cut; milliseconds."""
        return min(self.median * math.exp(-3 * self.sigma), self.cut), self.cut


class OneOf(_Distribution):
    """One of a few values, such as 5 or 45, and nothing between."""

    _TIMES = ("values",)
    kind: Literal["one_of"] = Field(description="which distribution it is")
    values: Annotated[tuple[Milliseconds, ...], Many] = Field(description="the values")
    weights: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Many] | None = Field(
        default=None,
        description="the share of each value, which add up to 1; without it all are alike",
    )

    @model_validator(mode="after")
    def _weighed(self) -> Self:
        weights = self.weights
        if weights is None:
            return self
        if len(weights) != len(self.values):
            msg = f"weights must be one for each value, got {len(weights)} for {len(self.values)}"
            raise ValueError(f"{msg} values")
        if abs(sum(weights) - 1) > SHARES_OFF_MAX:
            msg = f"weights must add up to 1, got {sum(weights):g}; divide each by {sum(weights):g}"
            raise ValueError(msg)
        return self

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return stream.choices(self.values, self.weights)[0]

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most of the values; milliseconds."""
        return min(self.values), max(self.values)


class Empirical(_Distribution):
    """What was measured: values, or percentiles at equal distances, in any order.

    What is drawn lies between two neighbours of them.
    """

    _TIMES = ("values",)
    kind: Literal["empirical"] = Field(description="which distribution it is")
    values: Annotated[tuple[Milliseconds, ...], Many] = Field(description="what was measured")

    @field_validator("values")
    @classmethod
    def _sorted(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(values))

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        rank = stream.random() * (len(self.values) - 1)
        below = min(int(rank), len(self.values) - 2)
        low, high = self.values[below : below + 2]
        return low + (high - low) * (rank - below)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most of the values; milliseconds."""
        return self.values[0], self.values[-1]


Distribution: TypeAlias = Annotated[
    Constant | Uniform | Triangular | LogNormal | OneOf | Empirical, Field(discriminator="kind")
]


def _ordered(table: T, *keys: str) -> T:
    for lower, upper in pairwise(keys):
        low, high = getattr(table, lower), getattr(table, upper)
        if low > high:
            msg = f"{lower} must be at most {upper}, got {lower} = {low:g} and {upper} = {high:g}"
            raise ValueError(f"{msg}; exchange them, or mend one")
    return table


def _thousandth(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    return tuple(one / 1e3 for one in value) if isinstance(value, tuple) else value / 1e3
