"""The repetition of a failure from its token, and how it went beside the run of the token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput
from harness.processes.text_hashing import FIXED, RANDOM, VARIABLE, text_hashing
from harness.results.replays import ReplayResult
from harness.search.failures.investigation import run_with_schedule
from harness.search.failures.token import Token, cause_key, first_parting
from harness.search.pieces.piece import subject_of
from harness.simulated.world.profile_reading import profile_again

if TYPE_CHECKING:
    from os import PathLike

    from harness.results.schedule import Schedule
    from harness.search.subjects.attempt import Attempt
    from harness.search.subjects.port import Subject
    from harness.search.subjects.scenario import ScenarioSubject

__all__ = ["ReplayOutcome", "Replayed", "replay", "subject_of_token"]

CODE_LENGTH = 16


class ReplayOutcome(StrEnum):
    """How a repeated run ended beside the run that the token is of."""

    SAME_FAILURE = "failed in the same way"
    OTHER_FAILURE = "failed, but in another way"
    PASSES_NOW = "did not fail: the code has changed"
    NOT_DETERMINISTIC = "did not fail, with the same code: not deterministic"
    COULD_NOT_RUN = "could not be run"


EXIT_CODES = {
    ReplayOutcome.SAME_FAILURE: 1,
    ReplayOutcome.OTHER_FAILURE: 1,
    ReplayOutcome.PASSES_NOW: 0,
    ReplayOutcome.NOT_DETERMINISTIC: 3,
    ReplayOutcome.COULD_NOT_RUN: 3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A repeated run: how it ended, its schedule, and where it parted from the token's run.

    ``code_now`` is the beginning of the fingerprint of the code as it is. ``parted`` are two steps
    between which the run first differs, or None if it does nowhere.
    """

    token: Token
    outcome: ReplayOutcome
    attempt: Attempt
    schedule: Schedule
    code_now: str
    parted: tuple[int, int] | None

    @property
    def exit_code(self) -> int:
        """1 if it failed, 0 if it passes now, 3 if nothing is known."""
        return EXIT_CODES[self.outcome]

    @property
    def code_changed(self) -> bool:
        """True if the code is another than that of the token's run."""
        return self.code_now != self.token.code

    @property
    def result(self) -> ReplayResult:
        """What reports need of it."""
        token, failure = self.token, self.attempt.failure
        return ReplayResult(
            subject=token.subject,
            mode=token.terms.mode,
            seed=token.tape.seed,
            deviations=len(token.tape.schedule),
            schedule=self.schedule,
            sentence=self.sentence,
            headline=None if failure is None else failure.headline,
            message_lines=() if failure is None else failure.lines,
            diagnosis=None if failure is None else failure.diagnosis,
        )

    @property
    def sentence(self) -> str:
        """Say how it ended, and why it may have ended otherwise than the token's run."""
        words: str = self.outcome.value
        if self.outcome is ReplayOutcome.COULD_NOT_RUN:
            return f"{words}: {self.attempt.unknown}"
        if self.code_changed:
            changed = f"fingerprint {self.token.code} then, {self.code_now} now"
            inner = self.outcome is ReplayOutcome.PASSES_NOW
            words += f" ({changed})" if inner else f"; the code has changed ({changed})"
        if self.parted is not None:
            begin, end = self.parted
            words += f"; the run first differs between steps {begin:,} and {end:,}"
            return words + _hashed_otherwise(self.token.hashing)
        if self.outcome is ReplayOutcome.SAME_FAILURE:
            return words
        return f"{words}; its order of events is the same{_hashed_otherwise(self.token.hashing)}"


def _hashed_otherwise(hashing: str) -> str:
    """Say that sets of texts may have another order than in the token's run, if so."""
    if hashing == RANDOM:
        return f"; sets of texts had a random order then: find it again with {VARIABLE}={FIXED}"
    if hashing and hashing != text_hashing():
        return f"; sets of texts have another order than then: set {VARIABLE}={hashing}"
    return ""


def replay(token: Token, subject: Subject) -> Replayed:
    """Repeat the run of a token."""
    with subject:
        attempt, schedule, _ = run_with_schedule(subject, token.tape)
        code_now = subject.fingerprint()[:CODE_LENGTH]
    return Replayed(
        token=token,
        outcome=_outcome(token, attempt, same_code=code_now == token.code),
        attempt=attempt,
        schedule=schedule,
        code_now=code_now,
        parted=first_parting(token, attempt.order),
    )


def subject_of_token(
    token: Token,
    *,
    system: str | None = None,
    profile: str | PathLike[str] | None = None,
    steps_max: int | None = None,
    watchdog: bool = True,
) -> ScenarioSubject:
    """Make the subject that a token names; ``system`` overrides the token's own.

    ``profile`` is where the token's profile is now, if it is not where it was; ``steps_max`` and
    ``watchdog`` are those of the terms.

    Raises:
        BadInput: The token is not of a scenario, or the scenario or the profile is not here.
    """
    if not token.subject.endswith(".toml"):
        raise BadInput(
            f'token: must be of a scenario, got one of the program "{token.subject}";'
            " repeat it in its test: pytest --harness-replay TOKEN"
        )
    if not Path(token.subject).is_file():
        raise BadInput(
            f"token: is of {token.subject}, which is not here; call replay in the folder in which"
            " it was found, or bring the scenario there"
        )
    terms = replace(
        token.terms,
        system=system or token.terms.system,
        profile=profile_again(token.profile, profile, what="token"),
        steps_max=steps_max,
        watchdog=watchdog,
    )
    return subject_of(token.subject, terms, dropped=token.dropped)


def _outcome(token: Token, attempt: Attempt, *, same_code: bool) -> ReplayOutcome:
    if attempt.unknown is not None:
        return ReplayOutcome.COULD_NOT_RUN
    if attempt.failure is not None:
        same = cause_key(attempt.failure.cause) == token.cause
        return ReplayOutcome.SAME_FAILURE if same else ReplayOutcome.OTHER_FAILURE
    return ReplayOutcome.NOT_DETERMINISTIC if same_code else ReplayOutcome.PASSES_NOW
