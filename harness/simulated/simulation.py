"""A simulated run from beginning to end: one seed in, one outcome out, nothing left behind."""

from __future__ import annotations

import asyncio
from asyncio import events
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.wait_graph import diagnose, render
from harness.errors import Deadlock, FailureFound, NotDeterministic, Terminated, Unsupported
from harness.simulated.guards.cycle_watch import CycleWatch
from harness.simulated.guards.determinism import Guards
from harness.simulated.guards.leftovers import end_leftover
from harness.simulated.loop.outside.executor_model import DEFAULT_WORKERS, sqlite_latency
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.trace import Trace, first_difference
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.lost_errors import report_lost, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from harness.history.records import Diagnosis, LockHold, LockWait
    from harness.simulated.loop.outside.executor_model import Latency

    Main = Callable[[], Coroutine[Any, Any, Any]]

__all__ = ["Simulated", "assert_deterministic", "clean_up", "run", "simulate"]

# Virtual seconds that cancelled tasks may take to clean up after the run itself is over.
_CLEAN_UP_S = 3_600.0
# A SystemExit goes on to the code that awaits its task: it may come up so often in a clean-up.
_EXITS_MAX = 1_000
# Unhandled errors that a message lists.
UNHANDLED_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """How a simulated run ended.

    ``value`` is what the coroutine returned, ``error`` what it raised instead. If it did neither,
    ``diagnosis`` says who waited for what; it is ``exact`` if nothing could happen any more, and
    not if a limit ended the run (``pause`` says which).

    ``digest`` is equal for equal runs on every CPython release, ``schedule_digest`` is finer and
    holds for one release (see ``Trace``). ``virtual_s`` are virtual seconds, ``steps`` the
    callbacks that ran. ``unhandled`` are errors that no code took; ``lock_holds`` the locks that
    were held over virtual time, ``lock_waits`` the waits for them. What cancelled tasks did after
    the end is in none of these, errors excepted.
    """

    seed: int
    value: Any
    error: BaseException | None
    digest: str
    schedule_digest: str
    virtual_s: float
    steps: int
    pause: Pause
    diagnosis: Diagnosis | None
    unhandled: tuple[str, ...]
    lock_holds: tuple[LockHold, ...]
    lock_waits: tuple[LockWait, ...] = ()


def simulate(
    main: Main,
    *,
    seed: int,
    time_limit_s: float | None = None,
    executor_latency: Latency = sqlite_latency,
    executor_workers: int = DEFAULT_WORKERS,
    strict: bool = True,
    trace: Trace | None = None,
    debug: bool = False,
    watch_cycles: bool = False,
    make_loop: Callable[..., VirtualLoop] = VirtualLoop,
) -> Simulated:
    """Run ``main()`` on a virtual loop of its own until it ends or cannot.

    Like ``asyncio.run``: what ``main`` leaves running is cancelled, asynchronous generators and the
    default executor are shut down, and the loop is closed. A SystemExit, too, is the run's error.

    Args:
        main: Makes the coroutine; it is called inside the run's guards.
        seed: 0 to 2^64 - 1. It decides everything that is drawn in the run.
        time_limit_s: Virtual seconds after which the run is ended with an inexact diagnosis.
        executor_latency: Draws the seconds that a call in an executor takes.
        executor_workers: Threads of the default executor.
        strict: Refuse threads, sockets, processes and real sleep, see ``Guards``.
        trace: A trace to fill, to keep its entries. Made afresh by default.
        debug: Run the loop in debug mode.
        watch_cycles: End the run soon after some tasks wait in a cycle, though others go on.
        make_loop: Makes the loop, for example one that explores orders.

    Raises:
        BadInput: The seed is not one.
        Unsupported: It is called inside a running loop, or during another simulation.
    """
    if events._get_running_loop() is not None:
        raise Unsupported(
            "simulate() was called inside a running event loop: a run needs the thread for itself;"
            " call it from plain code"
        )
    loop = make_loop(
        seed=seed, trace=trace, executor_latency=executor_latency, executor_workers=executor_workers
    )
    loop.time_limit_s = time_limit_s
    loop.set_debug(debug)
    with Guards(loop, strict=strict), LockLedger() as ledger:
        loop.ledger = ledger
        try:
            return _outcome(loop, main, watch_cycles=watch_cycles)
        finally:
            loop.close()


def _outcome(loop: VirtualLoop, main: Main, *, watch_cycles: bool = False) -> Simulated:
    """Drive the coroutine, note all there is to note at its end, then clean up behind it."""
    value: Any = None
    error: BaseException | None = None
    diagnosis: Diagnosis | None = None
    watch = _watch(loop, cycles=watch_cycles)
    task = loop.create_task(main())
    # That a deadlock leaves it pending is in the diagnosis, and nothing to complain of.
    task._log_destroy_pending = False
    try:
        pause, _ = loop.drive(task)
        if not task.done():
            diagnosis = diagnose(loop, exact=pause is Pause.STUCK, cycle=watch.cycle)
        elif task.cancelled():
            error = asyncio.CancelledError()
        else:
            error = task.exception()
            value = None if error is not None else task.result()
    except (KeyboardInterrupt, Terminated) as interruption:
        loop.observer = None
        clean_up(loop, interruption)
        raise
    # A SimPy process failed and nobody took it, or the system under test ended the interpreter.
    except BaseException as failure:  # noqa: BLE001
        pause, error = Pause.STOPPED, failure
    loop.observer = None
    loop.note(f"ended at {loop.time()!r} s: {_ending(task, error, pause)}")
    digest, schedule_digest = loop.trace.digest, loop.trace.schedule_digest
    virtual_s, steps = loop.time(), loop.trace.step_count
    ledger = loop.ledger
    lock_holds = () if ledger is None else ledger.all_holds(virtual_s)
    lock_waits = () if ledger is None else ledger.all_waits(virtual_s)
    del task
    clean_up(loop)
    report_lost(loop, tasks_of(loop))
    return Simulated(
        seed=loop.randomness.seed,
        value=value,
        error=error,
        digest=digest,
        schedule_digest=schedule_digest,
        virtual_s=virtual_s,
        steps=steps,
        pause=pause,
        diagnosis=diagnosis,
        unhandled=tuple(loop.unhandled),
        lock_holds=lock_holds,
        lock_waits=lock_waits,
    )


def _watch(loop: VirtualLoop, *, cycles: bool) -> CycleWatch:
    """Have the loop note its tasks and what makes them; look for cycles if asked to."""
    if loop.trace.keep:
        loop.task_names = loop.trace.names
    loop._tasks.notes_makers = True
    watch = CycleWatch(loop)
    if cycles and loop.ledger is not None:
        loop.ledger.on_long_wait = watch.look
    return watch


def _ending(task: asyncio.Task[Any], error: BaseException | None, pause: Pause) -> str:
    if error is not None:
        return f"raised {type(error).__name__}"
    return "returned" if task.done() else pause.name


def clean_up(loop: VirtualLoop, interruption: BaseException | None = None) -> None:
    """Cancel what is left, as ``asyncio.run`` does, but wait for nothing that cannot come.

    ``interruption`` is what interrupted the run, and may come up once more where it is awaited.
    """
    loop.run_is_over()
    loop.trace = Trace()
    loop.time_limit_s = loop.time() + _CLEAN_UP_S
    if loop.ledger is not None:
        loop.ledger.on_long_wait = None
    leftovers = _pending(loop)
    for task in leftovers:
        # Tasks that await each other in a cycle pass a cancellation round it without end.
        with suppress(RecursionError):
            task.cancel()
    if leftovers:
        _drive(loop, asyncio.gather(*leftovers, return_exceptions=True), interruption)
    for task in leftovers:
        if not task.done():
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            loop.unhandled.append(f"{task.get_name()} did not end when it was cancelled")
            end_leftover(loop, task)
        elif not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "unhandled exception during shutdown",
                    "exception": task.exception(),
                    "task": task,
                }
            )
    shutdown = loop.create_task(loop.shutdown_asyncgens())
    shutdown._log_destroy_pending = False
    _drive(loop, shutdown, interruption)


def _drive(
    loop: VirtualLoop, future: asyncio.Future[Any], interruption: BaseException | None
) -> None:
    """Drive the loop until the future is done, whatever tasks end it with on the way."""
    for _ in range(_EXITS_MAX):
        try:
            loop.drive(future)
        except (SystemExit, KeyboardInterrupt) as error:
            anew = isinstance(error, (KeyboardInterrupt, Terminated))
            if anew and error is not interruption:
                raise
        else:
            return


def _pending(loop: VirtualLoop) -> Collection[asyncio.Task[Any]]:
    """List the tasks that have not ended; a loop that lists its own is quicker than asyncio."""
    made: list[asyncio.Task[Any]] | None = getattr(loop, "made_tasks", None)
    return asyncio.all_tasks(loop) if made is None else [one for one in made if not one.done()]


def run(main: Main, *, seed: int, time_limit_s: float | None = None, **options: Any) -> Any:
    """Run ``main()`` as ``simulate`` does; return its value, raise its error. For tests.

    Raises:
        Deadlock: The run could not go on; the message says who waits for what.
        FailureFound: It returned, but an error was taken by nobody; the message lists them.
    """
    outcome = simulate(main, seed=seed, time_limit_s=time_limit_s, **options)
    if outcome.diagnosis is not None:
        raise Deadlock(
            f"seed {seed}: {outcome.pause.value}, and main() has not ended\n"
            + render(outcome.diagnosis)
        )
    lost = "\n  ".join(outcome.unhandled[:UNHANDLED_MAX])
    if outcome.error is not None:
        if lost:
            outcome.error.add_note(f"errors that nobody took:\n  {lost}")
        raise outcome.error
    if lost:
        count = len(outcome.unhandled)
        raise FailureFound(f"seed {seed}: {count} that nobody took:\n  {lost}")
    return outcome.value


def assert_deterministic(main: Main, *, seed: int, **options: Any) -> Simulated:
    """Run ``main()`` twice with one seed, compare all that was traced, return the second outcome.

    Raises:
        NotDeterministic: The runs parted; the message shows the first difference.
    """
    traces = (Trace(keep=True), Trace(keep=True))
    outcomes = [simulate(main, seed=seed, trace=trace, **options) for trace in traces]
    difference = first_difference(*traces)
    if difference is not None:
        raise NotDeterministic(
            f"seed {seed}: two runs must do the same, but part at {difference}:"
            " look for sets of strings or bare futures, real clocks, and state left over from the"
            " first run"
        )
    return outcomes[1]
