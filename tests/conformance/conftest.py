"""The two worlds that the conformance tests run in: a simulated node, or a real one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.backends.port import Backend, World
from harness.runs.opening import open_backend

Body = Callable[[World, Path], Coroutine[Any, Any, None]]


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    opened = open_backend(request.config.getoption("--harness-node"), needs_node=True)
    yield opened
    opened.close()


@pytest.fixture
def conforms(backend: Backend, request: pytest.FixtureRequest) -> Callable[[Body], None]:
    """Run a body in a world of its own, with an empty folder; the same body on both backends."""

    def run(body: Body) -> None:
        with tempfile.TemporaryDirectory() as folder:
            prepared = backend.prepare(seed=request.config.getoption("--harness-seed"))

            async def main() -> None:
                opening = prepared.stage.open_world("conformance", needs_node=True, faults=True)
                async with opening as world:
                    await body(world, Path(folder))

            ran = prepared.carry_out(main)
        if ran.error is not None:
            raise ran.error
        assert ran.diagnosis is None
        assert ran.unhandled == ()

    return run
