"""The load of a machine between two moments: what a service used of it, and what others used."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MachineLoad", "MachineReading", "load_between"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineReading:
    """What the counters of a machine show at a moment, in seconds; only differences mean anything.

    ``own_s`` is the CPU time of this process, its children, and what it talks to. ``busy_s`` is
    that of the whole machine, summed over its cores, and ``stolen_s`` what its host kept from it;
    both are None where the system does not tell.
    """

    at_s: float
    own_s: float
    busy_s: float | None
    stolen_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLoad:
    """How many cores were used on average over ``wall_s`` seconds, by us and by others."""

    wall_s: float
    own_cores: float
    foreign_cores: float | None


def load_between(before: MachineReading, after: MachineReading) -> MachineLoad:
    """Compute the load between two readings, of which the second is later.

    What a host stole is foreign in any case. The rest is what was busy and not ours; where the
    counters are coarser than the time between them, that can come out under nothing.
    """
    wall_s = after.at_s - before.at_s
    own_s = after.own_s - before.own_s
    foreign_cores = None
    if after.busy_s is not None and before.busy_s is not None:
        stolen_s = (after.stolen_s or 0.0) - (before.stolen_s or 0.0)
        foreign_s = max(after.busy_s - before.busy_s - own_s, 0.0) + stolen_s
        foreign_cores = foreign_s / wall_s
    return MachineLoad(wall_s=wall_s, own_cores=own_s / wall_s, foreign_cores=foreign_cores)
