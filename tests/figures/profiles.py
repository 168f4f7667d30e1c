"""Figures of latency profiles: how bad ones are refused, how near one is to live runs."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from statistics import mean

from harness.errors import BadInput
from harness.report.figures.latency_and_speedup import speedups
from harness.runs.opening import open_backend
from harness.runs.runner import run_one
from harness.scenario.reading import read_scenario
from harness.simulated.world.profile_reading import profile_named
from tests.figures.figure import Figure, Options
from tests.harness.simulated.world.bad_profiles import BAD

__all__ = ["fidelity", "refused"]

KINDS_MIN = 30
# Live speed-ups of so many users on two cores, as the profile's own provenance tells them.
LIVE = {2: 1.89, 8: 2.47, 10: 2.53}
OFF_MAX = 0.10
SEEDS = 12
SCENARIO = """
claim = "Together is faster."
users = {{ count = {users} }}
[[phase]]
name = "create"
[[phase.do]]
call = "create_account_order"
user = "each"
with.order.CreateClient = {{ network = "Localnet", name = "{{user}}" }}
[check]
speedup = {{ phase = "create", above = 1.1 }}
"""


def refused(_options: Options) -> Figure:
    """Read every bad profile that is known."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make, told) in enumerate(BAD):
            path = Path(folder) / f"p{number}" / "mine.toml"
            path.parent.mkdir()
            make(path)
            try:
                profile_named(path)
            except BadInput as error:
                if str(error) == told.replace("FILE", str(path)):
                    continue
            wrong.append(name)
    met = not wrong and len(BAD) >= KINDS_MIN
    return Figure(value=f"{len(BAD) - len(wrong)} of {len(BAD)}{wrong or ''}", met=met)


def fidelity(_options: Options) -> Figure:
    """Compare simulated speed-ups with those that were measured live."""
    simulated = {users: _speedup(users) for users in LIVE}
    off = {users: one / LIVE[users] - 1 for users, one in simulated.items()}
    words = [f"{users} users {one:.2f} ({off[users]:+.0%})" for users, one in simulated.items()]
    return Figure(value=", ".join(words), met=max(map(abs, off.values())) <= OFF_MAX)


def _speedup(users: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "together.toml"
        path.write_text(SCENARIO.format(users=users), encoding="utf-8")
        scenario = read_scenario(path)
    profile = profile_named("live-2-cores")
    ratios = []
    with closing(open_backend("simulated", needs_node=True, profile=profile)) as backend:
        for seed in range(SEEDS):
            history = run_one(scenario, backend, system=None, seed=seed).history
            assert history is not None
            ratios += [one.ratio for one in speedups(history).values() if one is not None]
    return mean(ratios)
