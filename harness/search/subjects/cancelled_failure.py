"""The judgement of a program's run in which tasks were cancelled: what of it is a failure.

That a task ends with CancelledError is right, and so is that what it alone would have done is not
done. So a failure counts only if the program does not fail alike where the cancelled tasks never
begin: then it is not that they are missing, but what they left behind when they were cancelled.
"""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.choices.kinds import ChoiceKind
from harness.search.failures.tape import Deviation, Tape
from harness.search.subjects.attempt import Failure
from harness.search.subjects.program_failure import failure_of_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.backends.port import CancelledRun
    from harness.history.records import Leak
    from harness.simulated.cancelling.aftermath import Cancelled
    from harness.simulated.repeated_runs import SearchRun

__all__ = [
    "MAIN",
    "CancelledRuns",
    "failure_after",
    "failure_in",
    "failure_of_swallowed",
    "with_words",
]

# The main task, by its ancestry.
MAIN = "1"
UNHANDLED = "unhandled"


def failure_in(
    found: SearchRun, cancelled: Cancelled, told: Callable[[SearchRun], Failure]
) -> Failure | None:
    """Tell how a run failed in which tasks were cancelled; None if it did not.

    ``told`` tells a failure as if nobody had been cancelled.
    """
    failure: Failure | None = None
    if found.failed and not (found.finished and _is_expected(found.error, cancelled)):
        failure = told(found)
    elif found.unhandled:
        failure = told(replace(found, error=None))
    elif cancelled.swallowed:
        failure = failure_of_swallowed(cancelled)
    elif cancelled.leaks:
        failure = _left(cancelled.leaks)
    elif found.after_error is not None:
        failure = failure_after(found.after_error)
    return None if failure is None else with_words(failure, cancelled)


def failure_after(error: BaseException) -> Failure:
    """Tell what the check raised that is made when all has ended."""
    failure = failure_of_error(error)
    return replace(
        failure, cause=f"after: {failure.cause}", headline=f"after the run: {failure.headline}"
    )


def _is_expected(error: BaseException | None, cancelled: Cancelled) -> bool:
    """Return True for how a program may end in which somebody is cancelled.

    What its main task asserts at its end is of a run in which nobody is: ``after`` says what holds
    of both.
    """
    if error is None or isinstance(error, CancelledError):
        return True
    asserts = isinstance(error, AssertionError) or type(error).__module__.startswith("_pytest.")
    return asserts and not cancelled.raised_by_another


def with_words(failure: Failure, cancelled: CancelledRun) -> Failure:
    """Put before a failure who was cancelled, where and when; its cause says that somebody was."""
    told = " and ".join(cancelled.words)
    headline = failure.headline if told in failure.headline else f"{told}: {failure.headline}"
    return replace(failure, cause=f"cancelled: {failure.cause}", headline=headline)


def failure_of_swallowed(cancelled: CancelledRun) -> Failure:
    """Tell of a task that went on after it had been cancelled."""
    told = cancelled.swallowed[0]
    place = told.rpartition("taken at ")[2]
    return Failure(
        cause=f"swallowed at {place}",
        headline=f"the cancellation was swallowed: {told}",
        lines=cancelled.swallowed,
    )


def _left(leaks: tuple[Leak, ...]) -> Failure:
    lines = tuple(f"{one.kind} {one.name} of {one.made_at} is left: {one.where}" for one in leaks)
    return Failure(
        cause="left: " + ", ".join(sorted({f"{one.kind} of {one.made_at}" for one in leaks})),
        headline=lines[0],
        lines=lines,
    )


class CancelledRuns:
    """Decides whether a failure is only that cancelled tasks are missing.

    ``fails`` runs a tape, and returns how it failed.
    """

    def __init__(self, fails: Callable[[Tape], Failure | None]) -> None:
        self._fails = fails
        self._without: dict[tuple[str, ...], str | None] = {}

    def is_missing_only(
        self, failure: Failure, lanes: tuple[str, ...], *, tape: Callable[[], Tape], seed: int
    ) -> bool:
        """Return True if it fails alike where these tasks never begin.

        First in the default order, which is remembered; then in its own, which ``tape`` gives.
        """
        gone = tuple(dict.fromkeys(one for one in lanes if one != MAIN))
        kind = _kind(failure)
        if not gone or kind in {"swallowed", "after"}:
            return False
        if gone not in self._without:
            default = Tape(seed=seed, schedule=_never(gone))
            self._without[gone] = _kind_of(self._fails(default))
        if self._without[gone] == kind:
            return True
        own = tape()
        if kind == UNHANDLED and self._is_usual(own):
            return True
        # Of two, one alone may be what is missing: with the other as it was.
        for some in (gone, *((one,) for one in gone if len(gone) > 1)):
            kept = (one for one in own.schedule if not _is_of(one, gone=some))
            if _kind_of(self._fails(own.with_deviations((*kept, *_never(some))))) == kind:
                return True
        return False

    def _is_usual(self, own: Tape) -> bool:
        """Return True if the error is also raised where nobody is cancelled, and is taken there."""
        calm = [one for one in own.schedule if one.kind is not ChoiceKind.CANCEL]
        # Whoever runs it notes what it raises, and does not accuse that again.
        self._fails(own.with_deviations(calm))
        return _kind_of(self._fails(own)) != UNHANDLED


def _never(lanes: Iterable[str]) -> tuple[Deviation, ...]:
    """Cancel tasks before they begin."""
    return tuple(Deviation(ChoiceKind.CANCEL, f"woken {one}", 0, 1) for one in sorted(lanes))


def _is_of(one: Deviation, *, gone: Iterable[str]) -> bool:
    return one.kind is ChoiceKind.CANCEL and one.where.partition(" ")[2] in gone


def _kind_of(failure: Failure | None) -> str | None:
    return None if failure is None else _kind(failure)


def _kind(failure: Failure) -> str:
    """Return in what way a run failed: the class of its error, or that it was stuck."""
    return failure.cause.removeprefix("cancelled: ").partition(":")[0].partition(" at ")[0]
