"""A simulated run from beginning to end: one seed in, one outcome out, nothing left behind."""

from __future__ import annotations

import asyncio
import gc
from asyncio import events
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.diagnosis.await_chain import frames_of, place_in
from harness.diagnosis.lock_ledger import LockLedger
from harness.diagnosis.wait_graph import diagnose, render
from harness.errors import Deadlock, FailureFound, LimitReached, NotDeterministic, Unsupported
from harness.processes.signals import Interrupts
from harness.results.wording import count
from harness.simulated.guards.cycle_watch import CycleWatch
from harness.simulated.guards.determinism import Guards
from harness.simulated.guards.leftovers import end_leftover
from harness.simulated.guards.watchdog import Watchdog
from harness.simulated.left_behind import left_behind
from harness.simulated.limits.cut import Cut, cut_of_pause
from harness.simulated.loop.outside.executor_model import DEFAULT_WORKERS, sqlite_latency
from harness.simulated.loop.pause import Pause
from harness.simulated.loop.trace import Trace, first_difference
from harness.simulated.loop.virtual_loop import VirtualLoop
from harness.simulated.lost_errors import Survivors, raise_refusal, report_lost, tasks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator

    from harness.history.records import Diagnosis, LockHold, LockWait
    from harness.simulated.left_behind import Left
    from harness.simulated.loop.outside.executor_model import Latency

    Main = Callable[[], Coroutine[Any, Any, Any]]

__all__ = ["Simulated", "assert_deterministic", "clean_up", "run", "simulate"]

# Virtual seconds that cancelled tasks may take to clean up after the run itself is over.
_CLEAN_UP_S = 3_600.0
# Callbacks that they may take for it.
_CLEAN_UP_STEPS = 1_000_000
# A SystemExit goes on to the code that awaits its task: it may come up so often in a clean-up.
_EXITS_MAX = 1_000
# Unhandled errors that a message lists.
UNHANDLED_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """How a simulated run ended.

    ``value`` is what the coroutine returned, ``error`` what it raised instead. If it did neither,
    ``diagnosis`` says who waited for what; it is ``exact`` if nothing could happen any more, and
    not if a limit ended the run (``pause`` says which). ``cut`` says what there is to say of a
    limit of steps or of real time, and of a step that never returns; ``stands`` where ``main`` was.

    ``digest`` is equal for equal runs on every CPython release, ``schedule_digest`` is finer and
    holds for one release (see ``Trace``). ``virtual_s`` are virtual seconds, ``steps`` the
    callbacks that ran. ``unhandled`` are errors that no code took; ``lock_holds`` the locks that
    were held over virtual time, ``lock_waits`` the waits for them. What cancelled tasks did after
    the end is in none of these, errors excepted. ``refused`` is what it asked for that a simulation
    has not, whatever became of the error.
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
    refused: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    cut: Cut | None = None
    stands: str = ""


def simulate(
    main: Main,
    *,
    seed: int,
    time_limit_s: float | None = None,
    steps_max: int | None = None,
    watchdog: bool = True,
    until_s: float | None = None,
    executor_latency: Latency = sqlite_latency,
    executor_workers: int = DEFAULT_WORKERS,
    strict: bool = True,
    trace: Trace | None = None,
    debug: bool = False,
    watch_cycles: bool = False,
    leaks: frozenset[str] = frozenset(),
    make_loop: Callable[..., VirtualLoop] = VirtualLoop,
) -> Simulated:
    """Run ``main()`` on a virtual loop of its own until it ends or cannot.

    Like ``asyncio.run``: what ``main`` leaves running is cancelled, asynchronous generators and the
    default executor are shut down, and the loop is closed. A SystemExit, too, is the run's error.

    Args:
        main: Makes the coroutine; it is called inside the run's guards.
        seed: 0 to 2^64 - 1. It decides everything that is drawn in the run.
        time_limit_s: Virtual seconds after which the run is ended with an inexact diagnosis.
        steps_max: Callbacks after which it is ended; the loop has a limit of its own.
        watchdog: End a step that does not return, see ``Watchdog``.
        until_s: The moment of the real clock, ``time.perf_counter()``, after which it is ended.
        executor_latency: Draws the seconds that a call in an executor takes.
        executor_workers: Threads of the default executor.
        strict: Refuse threads, sockets, processes and real sleep, see ``Guards``.
        trace: A trace to fill, to keep its entries. Made afresh by default.
        debug: Run the loop in debug mode.
        watch_cycles: End the run soon after some tasks wait in a cycle, though others go on.
        leaks: The kinds of what may be left behind that are looked for, if it returns.
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
    loop.steps_max = loop.steps_max if steps_max is None else steps_max
    loop.set_debug(debug)
    watch = Watchdog(lambda: _turns_of(loop), lambda: loop)
    watch.until_s = until_s
    with (
        watch if watchdog else nullcontext(),
        Guards(loop, strict=strict),
        LockLedger() as loop.ledger,
        Interrupts() as interrupts,
        _without_collections(),
        closing(loop),
    ):
        loop.is_interrupted = interrupts.came
        outcome = _outcome(loop, main, watch_cycles=watch_cycles, leaks=leaks)
    return outcome if watch.cut is None else replace(outcome, cut=watch.cut)


def _turns_of(loop: VirtualLoop) -> tuple[int, int, float]:
    """Return what changes with each step, and as time goes on."""
    trace = loop.trace
    return trace.step_count, len(trace.steps), loop.environment._now


@contextmanager
def _without_collections() -> Iterator[None]:
    """Have garbage collected only where the loop does so: ``Survivors`` rests on that."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _outcome(
    loop: VirtualLoop, main: Main, *, watch_cycles: bool, leaks: frozenset[str]
) -> Simulated:
    """Drive the coroutine, note all there is to note at its end, then clean up behind it."""
    refused: list[str] = []
    with Unsupported.told_to(refused.append):
        ended = _ended(loop, main, watch_cycles=watch_cycles, leaks=leaks)
    return replace(ended, refused=tuple(refused)) if refused else ended


@dataclass(slots=True)
class _End:
    """How the main task came to its end, or where it stands."""

    pause: Pause = Pause.STOPPED
    error: BaseException | None = None
    value: Any = None
    diagnosis: Diagnosis | None = None
    cut: Cut | None = None
    stands: str = ""


def _ended(
    loop: VirtualLoop, main: Main, *, watch_cycles: bool, leaks: frozenset[str]
) -> Simulated:
    watch, survivors = _watch(loop, cycles=watch_cycles), Survivors()
    task = loop.create_task(main())
    # That a deadlock leaves it pending is in the diagnosis, and nothing to complain of.
    task._log_destroy_pending = False
    end = _driven(loop, task, watch)
    loop.observer = None
    loop.note(f"ended at {loop.time()!r} s: {_ending(task, end.error, end.pause)}")
    digest, schedule_digest = loop.trace.digest, loop.trace.schedule_digest
    virtual_s, steps = loop.time(), loop.trace.step_count
    ledger = loop.ledger
    lock_holds = () if ledger is None else ledger.all_holds(virtual_s)
    lock_waits = () if ledger is None else ledger.all_waits(virtual_s)
    has_returned = task.done() and end.error is None and end.cut is None
    del task
    left = _looked_behind(loop, survivors, leaks=leaks, has_returned=has_returned)
    return Simulated(
        seed=loop.randomness.seed,
        value=end.value,
        error=end.error,
        digest=digest,
        schedule_digest=schedule_digest,
        virtual_s=virtual_s,
        steps=steps,
        pause=end.pause,
        diagnosis=end.diagnosis,
        unhandled=tuple(loop.unhandled),
        lock_holds=lock_holds,
        lock_waits=lock_waits,
        left=left,
        cut=end.cut,
        stands=end.stands,
    )


def _driven(loop: VirtualLoop, task: Any, watch: CycleWatch) -> _End:
    """Drive the main task until it has ended, or nothing can go on."""
    end = _End()
    try:
        end.pause, _ = loop.drive(task)
        if not task.done():
            end.cut, end.stands = cut_of_pause(loop, end.pause), place_in(frames_of(task))
            end.diagnosis = diagnose(loop, exact=end.pause is Pause.STUCK, cycle=watch.cycle)
        elif task.cancelled():
            end.error = asyncio.CancelledError()
        else:
            end.error = task.exception()
            end.value = None if end.error is not None else task.result()
    # A SimPy process failed and nobody took it, the system under test ended the interpreter, or
    # somebody else did.
    except BaseException as failure:
        if loop.is_interrupted(failure):
            loop.observer = None
            clean_up(loop, failure)
            raise
        end.pause, end.error = Pause.STOPPED, failure
    return end


def _looked_behind(
    loop: VirtualLoop, survivors: Survivors, *, leaks: frozenset[str], has_returned: bool
) -> tuple[Left, ...]:
    """Find what a run leaves behind, clean up, and report the errors that nobody took."""
    loop.trace = Trace()
    left = left_behind(loop, leaks) if has_returned and leaks else ()
    clean_up(loop)
    report_lost(loop, tasks_of(loop))
    if has_returned:
        survivors.report_lost(loop)
    return left


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
    loop.steps_max = min(loop.steps_max, _CLEAN_UP_STEPS)
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
            if loop.is_interrupted(error) and error is not interruption:
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
        LimitReached: It was ended at a limit, which says nothing of it; the message says which.
        FailureFound: It returned, but an error was taken by nobody, or something was left behind;
            the message lists them. Or it raised what would end the interpreter.
    """
    outcome = simulate(main, seed=seed, time_limit_s=time_limit_s, **options)
    raise_refusal(outcome.refused, outcome.error, seed=seed)
    if outcome.cut is not None:
        kind = Deadlock if outcome.cut.shown else LimitReached
        raise kind(f"seed {seed}: {outcome.cut.text}") from outcome.error
    if outcome.diagnosis is not None:
        raise Deadlock(
            f"seed {seed}: {outcome.pause.value}, and main() has not ended\n"
            + render(outcome.diagnosis)
        )
    told = [one for one in outcome.unhandled if one != str(outcome.error)]
    lost = "\n  ".join(told[:UNHANDLED_MAX])
    if outcome.error is not None:
        if lost:
            outcome.error.add_note(f"errors that nobody took:\n  {lost}")
        if isinstance(outcome.error, KeyboardInterrupt):
            # No Ctrl-C: as it is, it would end all that runs besides.
            raise FailureFound(f"seed {seed}: main() raised KeyboardInterrupt") from outcome.error
        raise outcome.error
    if lost:
        raise FailureFound(f"seed {seed}: {count(len(told), 'error')} that nobody took:\n  {lost}")
    if outcome.left:
        texts = "\n  ".join(one.text for one in outcome.left[:UNHANDLED_MAX])
        kinds = ", ".join(sorted({f'"{one.kind}"' for one in outcome.left}))
        raise FailureFound(
            f"seed {seed}: {len(outcome.left)} left behind when main() returned:\n  {texts}\n"
            f"await, cancel or close it, or give it back; where it is meant: allow=[{kinds}]"
        )
    return outcome.value


def assert_deterministic(main: Main, *, seed: int, **options: Any) -> Simulated:
    """Run ``main()`` twice with one seed, compare all that was traced, return the second outcome.

    Raises:
        NotDeterministic: The runs parted; the message shows the first difference.
        LimitReached: One was ended at a limit, so that they cannot be compared.
    """
    traces = (Trace(keep=True), Trace(keep=True))
    outcomes = [simulate(main, seed=seed, trace=trace, **options) for trace in traces]
    raise_refusal([word for one in outcomes for word in one.refused], None, seed=seed)
    cut = next((one.cut for one in outcomes if one.cut is not None and not one.cut.shown), None)
    if cut is not None:
        raise LimitReached(f"seed {seed}: {cut.text}")
    difference = first_difference(*traces)
    if difference is not None:
        raise NotDeterministic(
            f"seed {seed}: two runs must do the same, but part at {difference}:"
            " look for sets of plain objects, and state left over from the first run"
        )
    return outcomes[1]
