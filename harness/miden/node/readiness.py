"""The wait until a started node can be used, and the choice of its address."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from testcontainers.core.utils import inside_container
from testcontainers.core.waiting_utils import WaitStrategy, WaitStrategyTarget

from harness.errors import CouldNotRun
from harness.miden.node.status import ask_status

if TYPE_CHECKING:
    from docker.models.containers import Container

    from serve.domain.client_values import NodeStatus

__all__ = ["RPC_PORT", "StatusWait"]

# Where the node listens inside its container.
RPC_PORT = 57291


class StatusWait(WaitStrategy):
    """Ready when the node itself answers a status request."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self.endpoint: str | None = None
        self.status: NodeStatus | None = None

    def wait_until_ready(self, container: WaitStrategyTarget) -> None:
        """Poll the node until it answers.

        Raises:
            CouldNotRun: The container ended, or time ran out; with the end of the logs.
        """
        wrapped = cast("Container", container.get_wrapped_container())
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            wrapped.reload()
            state = wrapped.attrs["State"]
            if state["Status"] in {"exited", "dead"}:
                memory = " for lack of memory: it needs 2.2 GiB" if state["OOMKilled"] else ""
                raise CouldNotRun(
                    f"the node ended by itself (exit code {state['ExitCode']}){memory}"
                    f"{_last_lines(wrapped)}"
                )
            if self._ask(_candidates(wrapped)):
                return
            time.sleep(0.1)
        raise CouldNotRun(
            f"the node did not answer within {self._timeout_s:g} s: is the machine busy, or short "
            f"of memory (a node needs 2.2 GiB)?{_last_lines(wrapped)}"
        )

    def _ask(self, endpoints: list[str]) -> bool:
        for endpoint in endpoints:
            try:
                self.status = ask_status(endpoint, timeout_s=2.0)
            except CouldNotRun:
                continue
            # It may become ready between two requests: the first address to answer is preferred.
            if endpoint != endpoints[0] and self._ask(endpoints[:1]):
                return True
            self.endpoint = endpoint
            return True
        return False


def _candidates(container: Container) -> list[str]:
    """List the addresses at which the node may be reached, the best first."""
    network = container.attrs["NetworkSettings"]
    ports = network["Ports"].get(f"{RPC_PORT}/tcp") or []
    addresses = [f"http://127.0.0.1:{port['HostPort']}" for port in ports[:1]]
    # In a container, 127.0.0.1 may be another machine than Docker's. The mark of a container,
    # /.dockerenv, is on some plain machines too, so addresses are only added and all are tried.
    if inside_container():
        addresses.extend(
            f"http://{one['IPAddress']}:{RPC_PORT}"
            for one in network["Networks"].values()
            if one["IPAddress"]
        )
    return addresses


def _last_lines(container: Container, tail: int = 40) -> str:
    text = container.logs(tail=tail).decode(errors="replace").rstrip()
    lines = "".join(f"\n  | {line}" for line in text.splitlines())
    return f"\n  the last lines of its log:{lines}" if lines else "\n  its log is empty"
