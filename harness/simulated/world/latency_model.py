"""The latency model: named distributions from a profile, each client's drawn from its stream."""

from __future__ import annotations

import math
import random
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import BadInput
from harness.scenario.mistakes import message, values_mistakes
from harness.simulated.loop.virtual_time import Drawn

if TYPE_CHECKING:
    from harness.choices.randomness import Randomness

__all__ = [
    "Constant",
    "Latencies",
    "LatencyModel",
    "LogNormal",
    "Profile",
    "Rpcs",
    "Triangular",
    "Uniform",
    "read_profile",
]

DEFAULT_PROFILE = "default.toml"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Constant(_Table):
    """A distribution that is always the same value."""

    kind: Literal["constant"]
    value: float = Field(ge=0)

    def draw(self, stream: random.Random) -> float:  # noqa: ARG002 - one shape for all
        """Return the value; milliseconds."""
        return self.value

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that can be drawn, milliseconds."""
        return self.value, self.value


class Uniform(_Table):
    """Any value between two bounds, all equally likely."""

    kind: Literal["uniform"]
    low: float = Field(ge=0)
    high: float = Field(ge=0)

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return stream.uniform(self.low, self.high)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that can be drawn, milliseconds."""
        return self.low, self.high


class Triangular(_Table):
    """A value between two bounds, most often near ``mode``."""

    kind: Literal["triangular"]
    low: float = Field(ge=0)
    mode: float = Field(ge=0)
    high: float = Field(ge=0)

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return stream.triangular(self.low, self.high, self.mode)

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the most that can be drawn, milliseconds."""
        return self.low, self.high


class LogNormal(_Table):
    """A long tail: ``median``, ``sigma`` of the logarithm, and never more than ``cut``."""

    kind: Literal["lognormal"]
    median: float = Field(gt=0)
    sigma: float = Field(gt=0, le=3)
    cut: float = Field(gt=0)

    def draw(self, stream: random.Random) -> float:
        """Draw; milliseconds."""
        return min(stream.lognormvariate(math.log(self.median), self.sigma), self.cut)

    @property
    def bounds(self) -> tuple[float, float]:
        """What lies three sigma below the median, and the cut; milliseconds."""
        return min(self.median * math.exp(-3 * self.sigma), self.cut), self.cut


Distribution = Annotated[Constant | Uniform | Triangular | LogNormal, Field(discriminator="kind")]


class Latencies(_Table):
    """The operations that take time, each with its distribution in milliseconds."""

    dial: Distribution
    build: Distribution
    key: Distribution
    key_ecdsa: Distribution
    search: Distribution
    rpc: Distribution
    store: Distribution
    refused: Distribution


class Rpcs(_Table):
    """How many calls of the node a command makes."""

    first_sync: int = Field(ge=1)
    later_sync: int = Field(ge=1)
    status: int = Field(ge=1)


class Profile(_Table):
    """A node and its clients' machine in figures, with where they come from."""

    provenance: str = Field(min_length=1)
    cores: int = Field(ge=1)
    rpc_workers: int = Field(ge=1)
    request_timeout_ms: float = Field(gt=0)
    block_interval_ms: float = Field(gt=0)
    latency_ms: Latencies
    rpcs: Rpcs


class LatencyModel:
    """Draws latencies; each client's are a stream of its own, so that no user disturbs another."""

    def __init__(self, profile: Profile, *, randomness: Randomness, paired: bool) -> None:
        self.profile = profile
        self._randomness = randomness
        self._paired = paired
        self._twins: dict[str, random.Random] = {}

    def stream(self, name: str) -> random.Random:
        """Open the stream of a client; in a paired model every client's draws are the same."""
        if not self._paired:
            return self._randomness.stream(f"client {name}")
        if name not in self._twins:
            self._twins[name] = random.Random(self._randomness.key("paired"))  # noqa: S311
        return self._twins[name]

    def seconds(self, what: str, stream: random.Random) -> float:
        """Draw how long something takes, in seconds."""
        distribution: Distribution = getattr(self.profile.latency_ms, what)
        low, high = distribution.bounds
        return Drawn.between(low / 1e3, distribution.draw(stream) / 1e3, high / 1e3)


def read_profile(path: Path | None = None) -> Profile:
    """Read a profile; without a path, the nominal one.

    Raises:
        BadInput: The file cannot be read or breaks rules.
    """
    place = path or files("harness.simulated.world") / "profiles" / DEFAULT_PROFILE
    try:
        data = tomllib.loads(place.read_text(encoding="utf-8"))
        return Profile.model_validate(data)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{place}: cannot be read as a latency profile: {error}") from error
    except ValidationError as error:
        raise BadInput(message(Path(str(place)), values_mistakes(error, data, Profile))) from error
