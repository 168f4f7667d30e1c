"""The fixture ``simulate``: virtual time for anybody's own tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.api.simulation import simulate
from harness.errors import BadInput

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
        __tracebackhide__ = True
        try:
            return simulate(main, seed=self.seed if seed is None else seed)
        except BadInput as error:
            text = str(error)
        pytest.fail(text, pytrace=False)
