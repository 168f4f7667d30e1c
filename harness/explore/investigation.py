"""Own what is made of a failing run: repeated, shrunk, told beside one that passes, and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explore.result import FoundFailure
from harness.explore.schedule_recorder import ScheduleRecorder
from harness.explore.shrinking import Shrunk, shrink_schedule
from harness.explore.tape import Tape
from harness.explore.tape_policy import PicksPolicy, TapePolicy, TapeRecorder
from harness.explore.token import Token, checkpoints_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.explore.attempt import Attempt, Failure
    from harness.explore.subject import Subject
    from harness.schedule import Schedule

__all__ = ["carry_out", "investigate", "told_run"]


def carry_out(subject: Subject, tape: Tape, recorder: ScheduleRecorder | None = None) -> Attempt:
    """Run what a tape says."""
    policy = TapePolicy(tape)
    return subject.attempt(policy, seed=tape.seed, watcher=policy, recorder=recorder)


def told_run(subject: Subject, tape: Tape) -> tuple[Attempt, Schedule]:
    """Run what a tape says, and record its schedule for people."""
    recorder = ScheduleRecorder()
    attempt = carry_out(subject, tape, recorder)
    failure = attempt.failure
    cycle = failure.diagnosis.cycle if failure is not None and failure.diagnosis else ()
    return attempt, recorder.schedule(cycle)


def investigate(
    subject: Subject, found: Attempt, failed: Failure, *, runs: int, strategy: str
) -> FoundFailure:
    """Repeat a failing run, shrink it, and put together all that there is to say of it.

    A run that does not fail again in the same way is not decided by its seed and its choices: the
    failure is told as such, with the first run's own words.
    """
    cause = failed.cause
    tape, again, sites = _recorded(subject, found)
    same = again.failure is not None and again.failure.cause == cause
    if not same or again.order != found.order:
        return _not_deterministic(subject, found, failed, again, runs=runs, strategy=strategy)

    def fails(tried: Tape) -> bool:
        attempt = carry_out(subject, tried)
        return attempt.failure is not None and attempt.failure.cause == cause

    shrunk = _shrunk(tape, fails, sites)
    least, schedule = told_run(subject, shrunk.tape)
    failure = least.failure or failed
    _, passing = told_run(subject, _nearest_passing(shrunk.tape))
    token = str(_token(subject, shrunk.tape, least, cause))
    return FoundFailure(
        cause=cause,
        headline=failure.headline,
        message_lines=failure.lines,
        token=token,
        replay=subject.replay_line(token),
        runs_to_find=runs,
        found_by=strategy,
        deviations=len(shrunk.tape.schedule),
        deviations_before=len(tape.schedule),
        operations=_operations(least),
        operations_before=_operations(found),
        shrink_runs=shrunk.runs,
        schedule=schedule,
        passing=passing if shrunk.tape.schedule else None,
        stacks=((), failure.stack) if failure.stack else None,
        diagnosis=failure.diagnosis,
        checks=() if least.result is None else least.result.checks,
        adversarial=subject.adversarial,
        history=None if least.result is None else least.result.history,
    )


def _recorded(subject: Subject, found: Attempt) -> tuple[Tape, Attempt, ScheduleRecorder]:
    """Repeat a run pick by pick, writing down its tape and where its tasks stood."""
    writer, recorder = TapeRecorder(PicksPolicy(found.picks)), ScheduleRecorder()
    again = subject.attempt(writer, seed=found.seed, watcher=writer, recorder=recorder)
    return writer.tape(found.seed), again, recorder


def _shrunk(tape: Tape, fails: Callable[[Tape], bool], sites: ScheduleRecorder) -> Shrunk:
    return shrink_schedule(tape, fails, sites=sites.sites())


def _nearest_passing(tape: Tape) -> Tape:
    """Leave out the last deviation: what shrinking kept is needed, so this run passes."""
    return tape.with_deviations(tape.schedule[:-1])


def _operations(attempt: Attempt) -> int:
    history = None if attempt.result is None else attempt.result.history
    return 0 if history is None else len(history.operations)


def _token(subject: Subject, tape: Tape, run: Attempt, cause: str) -> Token:
    return Token(
        subject=subject.path or subject.name,
        system=getattr(subject, "system_path", ""),
        adversarial=subject.adversarial,
        tape=tape,
        cause=cause,
        code=subject.fingerprint()[:16],
        steps=run.steps,
        checkpoints=checkpoints_of(run.order),
        chaos=bool(getattr(subject, "chaos", False)),
    )


def _not_deterministic(
    subject: Subject,
    found: Attempt,
    failed: Failure,
    again: Attempt,
    *,
    runs: int,
    strategy: str,
) -> FoundFailure:
    tape = Tape(seed=found.seed)
    token = str(_token(subject, tape, found, failed.cause))
    _, schedule = told_run(subject, tape)
    seen = "passed" if again.failure is None else f"failed with: {again.failure.headline}"
    return FoundFailure(
        cause=f"not deterministic; {failed.cause}",
        headline=f"the run is not decided by its seed and its choices; {failed.headline}",
        message_lines=(
            f"the same choices a second time: {seen}",
            "look for sets of strings or bare futures, real clocks, and state that outlives a run",
            *failed.lines,
        ),
        token=token,
        replay=subject.replay_line(token),
        runs_to_find=runs,
        found_by=strategy,
        deviations=0,
        deviations_before=0,
        operations=_operations(found),
        operations_before=_operations(found),
        shrink_runs=0,
        schedule=schedule,
        adversarial=subject.adversarial,
    )
