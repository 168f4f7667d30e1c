"""The search of a program's orders as a call: one function, for tests and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.arguments import check_main, check_seed, in_python_terms, is_whole
from harness.errors import BadInput, FailureFound
from harness.report.formats.search_terminal import search_lines
from harness.report.text.replay_lines import replay_lines
from harness.results.explorations import Exploration
from harness.search.explorer import Budget, explore_subject
from harness.search.failures import replaying
from harness.search.failures.token import Token
from harness.search.pieces.plan import RUNS_DEFAULT
from harness.search.subjects.program import Program
from harness.search.terms import SearchTerms

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["check_search", "explore", "program_name"]


def explore(
    main: Callable[[], Coroutine[Any, Any, Any]],
    *,
    runs: int | None = None,
    seconds: float | None = None,
    strategy: str = "portfolio",
    seed: int = 0,
    adversarial: bool = False,
    first: bool = True,
    replay: str | None = None,
) -> Exploration:
    """Run ``main()`` in virtual time again and again, its order of events each time another.

    Args:
        main: A coroutine function without arguments; it raises when something is wrong. Each run
            must begin afresh: what it keeps outside of itself, the next run sees.
        runs: How many runs; 200 if neither this nor ``seconds`` is given.
        seconds: Real seconds after which no further run begins.
        strategy: How orders are chosen, as ``harness explore --strategy``.
        seed: 0 to 2^64 - 1; decides what is drawn.
        adversarial: Also take orders that asyncio never produces.
        first: Stop at the first failure.
        replay: The token of a failure: only that run is repeated.

    Raises:
        FailureFound: It fails in some order; the message has the cause, the shrunk schedule and the
            token. With ``replay``, that it failed again, or that it is not deterministic.
        BadInput: An argument breaks its rule, or the token is not one of this program.
    """
    __tracebackhide__ = True
    check_main(main)
    if replay is not None:
        return _replayed(main, replay)
    check_search(runs=runs, seconds=seconds, strategy=strategy, seed=seed)
    terms = SearchTerms(strategy=strategy, seed=seed, adversarial=adversarial)
    limit = RUNS_DEFAULT if runs is None and seconds is None else runs
    with in_python_terms():
        found = explore_subject(
            Program(main, terms), budget=Budget(runs=limit, seconds=seconds), first=first
        )
    if found.failures:
        raise FailureFound("\n".join(search_lines(found)))
    return found


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


def _replayed(main: Callable[[], Coroutine[Any, Any, Any]], text: str) -> Exploration:
    token = Token.read(text)
    program = Program(main, token.terms)
    if token.subject != program.name:
        raise BadInput(
            f'token: must be of the program "{program.name}", got one of "{token.subject}";'
            " replay it where it was found"
        )
    found = replaying.replay(token, program)
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
