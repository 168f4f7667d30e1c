"""The claims about clients that are recorded: none is left open by a start that fails or is cut."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness.choices.points import Interception
from harness.history.plain_data import PlainData
from harness.history.recorder import Recorder
from harness.history.records import NodeKind
from harness.miden.adapter.recorded_clients import RecordedClientFactory
from harness.runs.opening import open_backend
from harness.scenario.model import Fault
from serve import Network
from serve.errors import SpawnFailed

if TYPE_CHECKING:
    from typing import Any


class ClosesOnlyKilled:
    """A client whose close takes for ever, unless it was killed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.kill = inner.kill

    async def close(self) -> None:
        if not self._inner.closed:
            await asyncio.get_running_loop().create_future()
        await self._inner.close()


class Unwilling:
    """Starts such clients."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def spawn(self, *where: Any, **limits: Any) -> ClosesOnlyKilled:
        return ClosesOnlyKilled(await self._inner.spawn(*where, **limits))


@pytest.fixture
def spawned(tmp_path):
    """Start a client with a fault, for at most 9 s; return its error, its end, and one more."""

    def run(fault):
        told: list[Any] = []
        prepared = open_backend("simulated", needs_node=True).prepare(seed=3)
        stage = prepared.stage

        async def main():
            recorder = Recorder(
                NodeKind.SIMULATED, plain=PlainData({}), clock=stage.clock, note=stage.note
            )
            interception = Interception(recorder, [Fault(at="spawn.after", kind=fault)])
            interception.error_named = lambda _, text: SpawnFailed(text)
            async with stage.open_world("spawns", needs_node=True) as world:
                factory = RecordedClientFactory(
                    Unwilling(world.clients),  # type: ignore[arg-type] # it starts, and no more
                    recorder=recorder,
                    interception=interception,
                    user_of=lambda _: "ann",
                )

                async def spawn():
                    async with asyncio.timeout(9):
                        return await factory.spawn(tmp_path, Network.LOCALNET, dial_timeout_s=1)

                try:
                    await spawn()
                except (SpawnFailed, TimeoutError) as error:
                    told.append(error)
                told.append(recorder.open_clients())
                second = await spawn()
                told.append(second)
                second.kill()

        ran = prepared.carry_out(main)
        if ran.error is not None:
            raise ran.error
        return told

    return run


@pytest.mark.parametrize(
    ("fault", "error"), [("fail", SpawnFailed), ("die", SpawnFailed), ("hang", TimeoutError)]
)
def test_a_start_that_goes_wrong_leaves_no_client_though_its_close_would_hang(
    spawned, fault, error
):
    told, left, second = spawned(fault)
    assert type(told) is error
    assert list(left) == []
    assert second.number == 1
