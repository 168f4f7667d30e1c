"""One run of a coroutine function in virtual time, and the comparison of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from harness.api.arguments import check_main, check_seed, check_steps, is_whole, leaks_judged
from harness.errors import BadInput
from harness.simulated.simulation import assert_deterministic, run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

__all__ = ["simulate", "verify"]

Value = TypeVar("Value")


def simulate(
    main: Callable[[], Coroutine[Any, Any, Value]],
    *,
    seed: int = 0,
    time_limit_s: float | None = None,
    allow: Collection[str] = (),
    steps_max: int | None = None,
    watchdog: bool = True,
) -> Value:
    """Run ``main()`` to its end in virtual time, and return what it returns.

    Args:
        main: A coroutine function without arguments.
        seed: 0 to 2^64 - 1; decides all that is drawn.
        time_limit_s: Virtual seconds after which the run is given up; None for no limit.
        allow: What is no failure here though it is left behind: "leaked_tasks",
            "leaked_generators", "held_locks", or "leaks" for all of these.
        steps_max: Steps after which it is given up; None for 10,000,000.
        watchdog: End a step that does not return: see docs/recipes/limits.md.

    Raises:
        Deadlock: It cannot go on, or its time is over; the message says who waits for what.
        LimitReached: It took too many steps, or a step too long; the message has the busiest lines.
        FailureFound: It returned, but an error of a task, a call or a future was taken by nobody,
            or something was left behind; or ``time.sleep`` blocked the loop.
        Unsupported: It asks for what the simulation has no faithful form of, such as a socket.
        BadInput: An argument breaks its rule.
    """
    __tracebackhide__ = True
    check_main(main)
    check_seed(seed)
    leaks = leaks_judged(allow)
    check_steps(steps_max)
    limits: dict[str, Any] = {"steps_max": steps_max, "watchdog": watchdog}
    value: Value = run(main, seed=seed, time_limit_s=time_limit_s, leaks=leaks, **limits)
    return value


def verify(main: Callable[[], Coroutine[Any, Any, Any]], *, seed: int = 0, seeds: int = 1) -> None:
    """Run ``main()`` twice with each seed, and compare all that happened.

    Args:
        main: A coroutine function without arguments.
        seed: The first seed, 0 to 2^64 - 1.
        seeds: How many, from ``seed`` on.

    Raises:
        NotDeterministic: Two runs of one seed parted; the message shows where.
        BadInput: An argument breaks its rule.
    """
    __tracebackhide__ = True
    check_main(main)
    check_seed(seed)
    if not is_whole(seeds) or seeds < 1:
        raise BadInput(f"seeds: must be a whole number from 1 on, got {seeds!r}")
    check_seed(seed + seeds - 1)
    for number in range(seed, seed + seeds):
        assert_deterministic(main, seed=number)
