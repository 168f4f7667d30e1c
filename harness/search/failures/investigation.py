"""What is made of a failing run: repeated, shrunk, told beside one that passes, and named."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.processes.text_hashing import text_hashing
from harness.results.explorations import FoundFailure
from harness.search.failures.schedule_recorder import ScheduleRecorder
from harness.search.failures.shrinking import Shrunk, shrink_schedule
from harness.search.failures.tape import Tape
from harness.search.failures.tape_policy import PicksPolicy, TapePolicy, TapeRecorder
from harness.search.failures.token import Token, cause_key, checkpoints_of
from harness.search.failures.workload_shrinking import shrink_workload
from harness.search.strategies.portfolio import strategy_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from harness.results.schedule import Schedule
    from harness.search.subjects.attempt import Attempt, Failure
    from harness.search.subjects.port import Subject

__all__ = ["carry_out", "investigate", "run_with_schedule", "token_of"]

# Runs in which a failure of adversarial mode is looked for in asyncio's own order.
MILDER_RUNS = 60

# Seeds whose default orders are tried for a run that passes, besides the failure's own.
CONTROL_SEEDS = 6


def carry_out(subject: Subject, tape: Tape, recorder: ScheduleRecorder | None = None) -> Attempt:
    """Run what a tape says."""
    policy = TapePolicy(tape)
    return subject.attempt(policy, seed=tape.seed, watcher=policy, recorder=recorder)


def run_with_schedule(
    subject: Subject, tape: Tape
) -> tuple[Attempt, Schedule, list[tuple[str, ...]]]:
    """Run what a tape says, and record its schedule for people, with a stack for each step."""
    recorder = ScheduleRecorder()
    attempt = carry_out(subject, tape, recorder)
    failure = attempt.failure
    cycle = failure.diagnosis.cycle if failure is not None and failure.diagnosis else ()
    return attempt, recorder.schedule(cycle), recorder.stacks


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
    with _mildest_mode(subject, shrunk, fails, seed=found.seed) as shrunk:
        return _described(
            subject,
            shrunk,
            failed,
            runs_to_find=runs,
            found_by=strategy,
            deviations_before=len(tape.schedule),
            operations_before=_operations(found),
        )


@contextmanager
def _mildest_mode(
    subject: Subject, shrunk: Shrunk, fails: Callable[[Tape], bool], *, seed: int
) -> Iterator[Shrunk]:
    """Go on in asyncio's own order, with a tape that fails in it, if one is found."""
    adversarial = subject.terms.adversarial
    if adversarial:
        subject.set_adversarial(False)
        milder = shrunk if fails(shrunk.tape) else _milder(subject, fails, seed=seed)
        subject.set_adversarial(milder is None)
        if milder is not None:
            shrunk = replace(milder, runs=shrunk.runs + milder.runs * (milder is not shrunk))
    try:
        yield shrunk
    finally:
        subject.set_adversarial(adversarial)


def _milder(subject: Subject, fails: Callable[[Tape], bool], *, seed: int) -> Shrunk | None:
    """Look for another tape that fails in the same way in asyncio's own order.

    The tape that was found may not say in that order what it says in others: that alone does not
    make a failure one that production never has.
    """
    strategy = strategy_named("portfolio", seed=seed)
    for run in range(MILDER_RUNS):
        policy = strategy.begin(run)
        attempt = subject.attempt(policy, seed=seed, watcher=strategy.watcher, locks=strategy.locks)
        strategy.finish(attempt)
        if attempt.failure is None:
            continue
        tape, _, sites = _recorded(subject, attempt)
        if fails(tape):
            found = _shrunk(tape, fails, sites)
            return replace(found, runs=run + 2 + found.runs)
    return None


def _described(subject: Subject, shrunk: Shrunk, failed: Failure, **known: Any) -> FoundFailure:
    """Leave out what the failure does not need of the workload; tell it beside a good run.

    ``known`` is what there is to say of how it was found.
    """
    controls = list(_controls(subject, shrunk.tape))
    control = _passing(subject, controls)
    less, dropped_runs = _with_less_work(subject, shrunk.tape, failed, control, controls)
    if less is not subject:
        subject, control = less, _passing(less, controls)
    least, schedule, failing_stacks = run_with_schedule(subject, shrunk.tape)
    failure = least.failure or failed
    passing: Schedule | None = None
    stacks: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    if control is not None:
        _, passing, passing_stacks = run_with_schedule(subject, control)
        stacks = _parting_stacks(
            (passing, passing_stacks), (schedule, failing_stacks), failure.stack
        )
    token = str(token_of(subject, shrunk.tape, least, failure.cause))
    return FoundFailure(
        cause=failed.cause,
        headline=failure.headline,
        message_lines=failure.lines,
        token=token,
        replay=subject.replay_line(token),
        deviations=len(shrunk.tape.schedule),
        operations=_operations(least),
        shrink_runs=shrunk.runs + dropped_runs,
        schedule=schedule,
        passing=passing,
        stacks=stacks,
        diagnosis=failure.diagnosis,
        checks=() if least.result is None else least.result.checks,
        adversarial=subject.terms.adversarial,
        history=None if least.result is None else least.result.history,
        **known,
    )


def _with_less_work(
    subject: Subject, tape: Tape, failed: Failure, control: Tape | None, controls: Sequence[Tape]
) -> tuple[Subject, int]:
    """Leave out of a scenario's workload what the failure does not need, the schedule kept.

    With less to do a run may fail whatever the system does: a listing is empty because nothing was
    made, a reader waits because nobody writes. So if the whole workload can pass, what is left of
    it must be able to: under ``control``, which the whole passes, or the nearest of ``controls``.
    If no run of the whole is known to pass, only checks that hold with less to do may
    go on failing.
    """
    scenario = subject.scenario
    if scenario is None:
        return subject, 0
    names = set(failed.cause.split(", "))
    must_fail = names & subject.hold_with_less_work or names
    if control is None and not must_fail <= subject.hold_with_less_work:
        return subject, 0
    before, without = subject.dropped, subject.without

    def fails(dropped: tuple[str, ...]) -> bool:
        less = without((*before, *dropped))
        try:
            attempt = carry_out(less, tape)
            if attempt.failure is None or not must_fail <= set(attempt.failure.cause.split(", ")):
                return False
            return control is None or _passing(less, (control, *controls[:2])) is not None
        except HarnessError:
            # What is left does not hang together: that is no smaller form of the failure.
            return False

    dropped, runs = shrink_workload(scenario, fails)
    return (without((*before, *dropped)) if dropped else subject), runs


def _controls(subject: Subject, tape: Tape) -> Iterator[Tape]:
    """List tapes under which a run may pass: the nearest first, then the default order of seeds.

    The nearest lacks the last deviation: what shrinking kept is needed.
    """
    if tape.schedule:
        yield tape.with_deviations(tape.schedule[:-1])
    seeds = (tape.seed,) if subject.same_seed else dict.fromkeys((tape.seed, *range(CONTROL_SEEDS)))
    for seed in seeds:
        if tape.schedule or seed != tape.seed:
            yield replace(tape.with_deviations(()), seed=seed)


def _passing(subject: Subject, tapes: Iterable[Tape]) -> Tape | None:
    """Return the first tape under which the subject passes."""
    for tape in tapes:
        attempt = carry_out(subject, tape)
        if attempt.failure is None and attempt.unknown is None:
            return tape
    return None


def _parting_stacks(
    passing: tuple[Schedule, list[tuple[str, ...]]],
    failing: tuple[Schedule, list[tuple[str, ...]]],
    last: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return where both runs stood when they parted; without that, the failing run's last words."""
    pairs = zip(passing[0].steps, failing[0].steps, strict=False)
    for index, (one, other) in enumerate(pairs):
        if (one.lane, one.does, one.place) != (other.lane, other.does, other.place):
            # A step that ended its task stood nowhere: then the next one that did.
            stood = [next((at for at in run[1][index:] if at), ()) for run in (passing, failing)]
            return stood[0], stood[1]
    return ((), last) if last else None


def _recorded(subject: Subject, found: Attempt) -> tuple[Tape, Attempt, ScheduleRecorder]:
    """Repeat a run pick by pick, writing down its tape and where its tasks stood."""
    writer, recorder = TapeRecorder(PicksPolicy(found.picks)), ScheduleRecorder()
    again = subject.attempt(writer, seed=found.seed, watcher=writer, recorder=recorder)
    return writer.tape(found.seed), again, recorder


def _shrunk(tape: Tape, fails: Callable[[Tape], bool], sites: ScheduleRecorder) -> Shrunk:
    return shrink_schedule(tape, fails, sites=sites.sites())


def _operations(attempt: Attempt) -> int:
    history = None if attempt.result is None else attempt.result.history
    return 0 if history is None else len(history.operations)


def token_of(subject: Subject, tape: Tape, run: Attempt, cause: str) -> Token:
    """Make the token that repeats a run of a tape on this subject."""
    profile = subject.terms.profile
    return Token(
        subject=subject.path or subject.name,
        terms=replace(subject.terms, strategy="replay", seed=tape.seed),
        tape=tape,
        cause=cause_key(cause),
        code=subject.fingerprint()[:16],
        steps=run.steps,
        checkpoints=checkpoints_of(run.order),
        dropped=subject.dropped,
        profile=None if profile is None else profile.used,
        hashing=text_hashing(),
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
    token = str(token_of(subject, tape, found, failed.cause))
    _, schedule, _ = run_with_schedule(subject, tape)
    seen = "passed" if again.failure is None else f"failed with: {again.failure.headline}"
    return FoundFailure(
        cause=f"not deterministic; {failed.cause}",
        headline=f"the run is not decided by its seed and its choices; {failed.headline}",
        message_lines=(
            f"the same choices a second time: {seen}",
            "look for sets of plain objects, and state that outlives a run",
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
        adversarial=subject.terms.adversarial,
    )
