"""The trial of a draft: its calls in turn and all at once, simulated, and what they gave."""

from __future__ import annotations

import io
import logging
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.choices.randomness import Randomness
from harness.drafts.draft import USERS, Draft, DraftStep, Part
from harness.errors import HarnessError, Terminated
from harness.history.records import Outcome
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import carry_out
from harness.scenario.check_table import read_checks, resolved
from harness.scenario.model import Phase, Scenario, Start, Step, User
from harness.systems.loading import load_system

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.backends.port import Backend
    from harness.history.records import Operation
    from harness.systems.port import System

__all__ = ["Trial", "tried"]

RUNS = 6
DELAY_MS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the calls of a draft gave, run by run; ``problem`` says why there were no more runs.

    ``findings`` are the checks that failed when all began at the same moment.
    ``in_turn``: each call began when the one before it had ended, in another order each time.
    ``at_once``: all calls were under way together.
    """

    in_turn: Sequence[Sequence[Operation]]
    at_once: Sequence[Sequence[Operation]]
    findings: Sequence[str] = ()
    problem: str = ""

    def hung(self) -> set[str]:
        """List the methods that wait for another call, one that the draft does not make."""
        return _unfinished(self.in_turn) & _unfinished(self.at_once)


def tried(draft: Draft) -> Trial:
    """Try the calls of a draft in several simulated runs, each on an object of its own.

    The runs end with the first in which a call hung.
    """
    in_turn: list[Sequence[Operation]] = []
    at_once: list[Sequence[Operation]] = []
    findings: Sequence[str] = ()
    problem = ""
    system = load_system(draft.system)
    with closing(open_backend("simulated", needs_node=system.needs_node)) as backend:
        history = partial(_history, draft, system, backend)
        try:
            for number in range(RUNS):
                in_turn.append(history(_phases_in_turn(draft, number), seed=number)[0])
                operations, failed = history(_phases_at_once(draft, number), seed=number)
                at_once.append(operations)
                findings = findings if number else failed
                if _unfinished(in_turn) & _unfinished(at_once):
                    break  # more runs say no more, and each of them may take long
        except _Problem as found:
            problem = " ".join(str(found).split())
    return Trial(in_turn=in_turn, at_once=at_once, findings=findings, problem=problem)


class _Problem(Exception):
    """A run came to nothing; the message says why."""


def _unfinished(runs: Iterable[Iterable[Operation]]) -> set[str]:
    return {one.call for run in runs for one in run if one.outcome is Outcome.UNFINISHED}


def _history(
    draft: Draft, system: System, backend: Backend, phases: list[Phase], *, seed: int
) -> tuple[Sequence[Operation], list[str]]:
    """Carry out phases with a draft's class: return what was called, and what failed.

    Raises:
        _Problem: The class could not be opened, run or closed.
    """
    checks, _ = read_checks({})
    scenario = Scenario(
        name="draft",
        path=draft.system,
        claim="It can be tried.",
        system=draft.system,
        settings=draft.settings,
        users=[User(name=name) for name in USERS],
        phase=phases,
        checks=resolved(checks),
    )
    try:
        with _quiet():
            done = carry_out(scenario, backend, system=system, system_path=draft.system, seed=seed)
    except Terminated:
        raise
    except HarnessError as error:
        raise _Problem(str(error)) from error
    except SystemExit as error:
        raise _Problem(f"{draft.name} ended the interpreter (SystemExit: {error})") from error
    if done.result.could_not_run is not None or done.result.history is None:
        reason = str(done.result.could_not_run)
        if done.ran.limit is None:
            reason += '; on the real clock it may run: add "--node live" to harness run'
        raise _Problem(reason)
    if done.ran.limit is not None:
        raise _Problem(done.ran.limit.text)
    if done.ran.error is not None:
        message = f"{type(done.ran.error).__name__}: {done.ran.error}"
        raise _Problem(f"{message}; harness run says where that was raised")
    failed = [one for one in done.result.checks if one.verdict is Verdict.FAILED]
    return done.result.history.operations, [f"{one.name}: {one.seen}" for one in failed]


@contextmanager
def _quiet() -> Iterator[None]:
    """Show nothing of what a class prints or logs, a dozen times over."""
    disabled = logging.root.manager.disable
    logging.disable()
    sink = io.StringIO()
    try:
        with redirect_stdout(sink), redirect_stderr(sink):
            yield
    finally:
        logging.disable(disabled)


def _phases_in_turn(draft: Draft, number: int) -> list[Phase]:
    """Give each call a phase of its own: in the order of the methods, backwards, or drawn."""
    phases = []
    for part in Part:
        calls = _calls(draft, part)
        if number == 1:
            calls.reverse()
        elif number > 1:
            Randomness(number).stream("drafts").shuffle(calls)
        phases += [
            Phase(name=f"{part.name}-{position}", do=[_step(*call)])
            for position, call in enumerate(calls)
        ]
    return phases


def _phases_at_once(draft: Draft, number: int) -> list[Phase]:
    """Let the calls of a part begin at the same moment, or within a moment, in a drawn order."""
    drawn = Randomness(number).stream("drafts")
    return [
        Phase(
            name=part.name,
            do=[
                _step(*call, id=f"{position}").model_copy(
                    update={"start": Start(delay_ms=drawn.randrange(DELAY_MS_MAX) if number else 0)}
                )
                for position, call in enumerate(_calls(draft, part))
            ],
        )
        for part in Part
    ]


def _calls(draft: Draft, part: Part) -> list[tuple[DraftStep, str | None]]:
    return [(step, user) for step in draft.steps_of(part) for user in step.users]


def _step(step: DraftStep, user: str | None, **keys: Any) -> Step:
    given = {"call": step.call, "user": user, "with": step.arguments, "expect": "any", **keys}
    return Step.model_validate(given)
