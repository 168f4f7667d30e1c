"""The fixture ``simulate``: virtual time for anybody's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.simulated.simulation import run

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Simulate"]


class Simulate:
    """Runs a coroutine function on a virtual loop; what the fixture ``simulate`` gives."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(
        self, main: Callable[[], Coroutine[Any, Any, Any]], *, seed: int | None = None
    ) -> Any:
        """Run ``main()`` to its end in virtual time and return what it returns.

        Raises:
            Deadlock: Nothing can go on; the message says who waits for what.
        """
        return run(main, seed=self.seed if seed is None else seed)
