"""The search of a program's orders as a call: one function, for tests and for scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.api.arguments import (
    check_main,
    check_seed,
    check_steps,
    in_python_terms,
    is_whole,
    leaks_judged,
)
from harness.choices.lateness import LATE_MS_DEFAULT, checked_late_ms
from harness.errors import BadInput, FailureFound, HealthCheckFailed, LimitReached, Unsupported
from harness.report.formats.search_terminal import search_lines
from harness.report.text.replay_lines import replay_lines
from harness.results.explorations import Exploration
from harness.results.health.health_checks import HEALTH_CHECKS
from harness.search.explorer import Budget, explore_subject
from harness.search.failures import replaying
from harness.search.failures.token import Token
from harness.search.pieces.plan import RUNS_DEFAULT
from harness.search.subjects.program import ASKS_FOR, Program
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

__all__ = ["check_search", "explore", "program_name"]


def explore(
    main: Callable[[], Coroutine[Any, Any, Any]],
    *,
    runs: int | None = None,
    seconds: float | None = None,
    strategy: str = "portfolio",
    seed: int = 0,
    adversarial: bool = False,
    cancel: bool = False,
    after: Callable[[], Any] | None = None,
    allow: Collection[str] = (),
    late_ms: float = LATE_MS_DEFAULT,
    first: bool = True,
    replay: str | None = None,
    steps_max: int | None = None,
    watchdog: bool = True,
) -> Exploration:
    """Run ``main()`` in virtual time again and again, its order of events each time another.

    Args:
        main: A coroutine function without arguments; it raises when something is wrong. Each run
            must begin afresh: what it keeps outside of itself, the next run sees.
        runs: How many runs; 200 if neither this nor ``seconds`` is given.
        seconds: Real seconds after which no further run begins; one under way is cut.
        strategy: How orders are chosen, as ``harness explore --strategy``.
        seed: 0 to 2^64 - 1; decides what is drawn.
        adversarial: Also take orders that asyncio never produces.
        cancel: Also cancel each task at each await; what ``main`` asserts is not judged then.
        after: A check, a function or a coroutine function, made in each run when all has ended.
        allow: What is no failure here: "one_order", a search all of whose runs took one order; what
            is left behind when ``main()`` has returned: "leaked_tasks", "leaked_generators",
            "held_locks", or "leaks" for all of these.
        late_ms: How late a busy loop may be, 0 to 60,000 ms: what comes from outside that near to
            one another may come in one pass, and timers that near may change places.
        first: Stop at the first failure.
        replay: The token of a failure: only that run is repeated.
        steps_max: Steps that a run may take; None for 2,000,000.
        watchdog: End a step that does not return: see docs/recipes/limits.md.

    Raises:
        FailureFound: It fails in some order; the message has the cause, the shrunk schedule and the
            token. With ``replay``, that it failed again, or that it is not deterministic.
        Unsupported: It asks for what a simulation has not, so nothing is known.
        LimitReached: No run failed, but one was ended at a limit; the message says where.
        HealthCheckFailed: It did not fail, but the search shows nothing: all took one order.
        BadInput: An argument breaks its rule, or the token is not one of this program.
    """
    __tracebackhide__ = True
    check_main(main)
    leaks = _checked(after, allow, steps_max)
    limits: dict[str, Any] = {"steps_max": steps_max, "watchdog": watchdog}
    if replay is not None:
        return _replayed(main, replay, after, leaks, **limits)
    check_search(runs=runs, seconds=seconds, strategy=strategy, seed=seed)
    how: dict[str, Any] = {"adversarial": adversarial, "cancel": cancel, **limits}
    how["late_ms"] = checked_late_ms(late_ms, where="late_ms")
    healthy = tuple(one for one in allow if one in HEALTH_CHECKS)
    terms = SearchTerms(strategy=strategy, seed=seed, allow=healthy, **how)
    budget = Budget(runs=runs or (None if seconds else RUNS_DEFAULT), seconds=seconds)
    program = Program(main, terms, after=after, leaks=leaks)
    with in_python_terms():
        found = explore_subject(program, budget=budget, first=first)
    _raise_what_is_wrong(found)
    return found


def _checked(after: object, allow: Collection[str], steps_max: int | None) -> frozenset[str]:
    """Check what can be wrong with these, and return the leaks that are failures."""
    check_steps(steps_max)
    if after is not None and not callable(after):
        raise BadInput(f"after: must be a function, or a coroutine function, got {after!r}")
    return leaks_judged(allow, *HEALTH_CHECKS)


def _raise_what_is_wrong(found: Exploration) -> None:
    """Raise a failure, or why the search shows nothing."""
    __tracebackhide__ = True
    told = "\n".join(search_lines(found))
    if found.failures:
        raise FailureFound(told)
    if found.could_not_run is not None:
        refused = found.could_not_run.startswith(ASKS_FOR)
        raise (Unsupported if refused else LimitReached)(told)
    if found.health:
        raise HealthCheckFailed(told)


def check_search(*, runs: int | None, seconds: float | None, strategy: str, seed: int) -> None:
    """Check what both searches are asked for; its strategy only for being a text.

    Raises:
        BadInput: An argument breaks its rule.
    """
    check_seed(seed)
    if not isinstance(strategy, str):
        raise BadInput(f'strategy: must be a name, such as "portfolio", got {strategy!r}')
    if runs is not None and not (is_whole(runs) and runs >= 1):
        raise BadInput(
            f"runs: must be at least 1, and whole, got {runs!r}; leave it out for {RUNS_DEFAULT}"
        )
    if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
        raise BadInput(f"seconds: must be more than 0, got {seconds!r}; leave it out")


def program_name(main: Callable[[], Coroutine[Any, Any, Any]]) -> str:
    """Return the name under which a program's tokens know it."""
    return Program(main).name


def _replayed(
    main: Callable[[], Coroutine[Any, Any, Any]],
    text: str,
    after: Callable[[], Any] | None,
    leaks: frozenset[str],
    **limits: Any,
) -> Exploration:
    token = Token.read(text)
    program = Program(main, replace(token.terms, **limits), after=after, leaks=leaks)
    if token.subject != program.name:
        raise BadInput(
            f'token: must be of the program "{program.name}", got one of "{token.subject}";'
            " replay it where it was found"
        )
    found = replaying.replay(token, program)
    if found.outcome is replaying.ReplayOutcome.COULD_NOT_RUN:
        raise LimitReached(f"nothing is known of {program.name}: {found.attempt.unknown}")
    if found.outcome is not replaying.ReplayOutcome.PASSES_NOW:
        raise FailureFound("\n".join(replay_lines(found.result)))
    return _passed(program, token, found)


def _passed(program: Program, token: Token, found: replaying.Replayed) -> Exploration:
    return Exploration(
        scenario=program.name,
        path=program.path,
        claim=program.claim,
        strategy=token.terms.strategy,
        seed=token.terms.seed,
        mode=token.terms.mode,
        runs=1,
        distinct=1,
        steps_total=found.attempt.steps,
        wall_s=0.0,
        exhausted=False,
        bounds_text=(found.sentence,),
    )
