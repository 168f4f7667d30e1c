"""The fixture ``simulate``: virtual time for anybody's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.api.simulation import simulate
from harness.errors import BadInput, FailureFound
from harness.pytest_plugin.limits import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

__all__ = ["Simulate"]


class Simulate:
    """Runs a coroutine function on a virtual loop; what the fixture ``simulate`` gives."""

    def __init__(self, config: pytest.Config) -> None:
        self.seed: int = config.getoption("--harness-seed")
        self._limits = limits_of(config)

    def __call__(
        self,
        main: Callable[[], Coroutine[Any, Any, Any]],
        *,
        seed: int | None = None,
        allow: Collection[str] = (),
        **limits: Any,
    ) -> Any:
        """Run ``main()`` to its end in virtual time and return what it returns.

        ``allow`` names what may be left behind, and ``limits`` are those of ``harness.simulate``.

        Raises:
            Deadlock: Nothing can go on; the message says who waits for what.
            LimitReached: It was ended at a limit; the message has the busiest lines.
        """
        __tracebackhide__ = True
        try:
            given = {**self._limits, **limits, "allow": allow}
            return simulate(main, seed=self.seed if seed is None else seed, **given)
        except (BadInput, FailureFound) as error:
            text = str(error)
        pytest.fail(text, pytrace=False)
