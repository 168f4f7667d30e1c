"""What the guard asks of the harness in this process: digests, finds, counts, refusals."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput
from harness.report.formats.run_terminal import render_result
from harness.results.verdict import Verdict
from harness.runs.opening import open_backend
from harness.runs.runner import run_scenario
from harness.scenario.reading import read_scenario
from harness.search.explorer import Budget, explore_subject
from harness.search.failures.investigation import carry_out
from harness.search.failures.regressions import read_regression, regression_subject
from harness.search.failures.token import Token, cause_key, first_parting
from harness.search.pieces.piece import subject_of
from harness.search.strategies.portfolio import strategy_named
from harness.search.terms import SearchTerms
from harness.simulated.loop.trace import Trace
from harness.systems.loading import load_system
from harness.systems.port import DEFAULT_SYSTEM
from tests.harness.conftest import GOOD
from tests.harness.search.exhaustive import random_programs, test_exhaustive
from tests.sensitivity.test_broken_services import CASES, path_of
from tests.sensitivity.zoo.catalogue import ZOO
from tests.there import there

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
SEED = 1
RUNS_MAX = 2_500


@contextmanager
def _traces():
    """Give the list of all traces that are made meanwhile; a run's own is among them."""
    made = []
    begin = Trace.__init__

    def remembered(trace, *arguments, **options):
        made.append(trace)
        begin(trace, *arguments, **options)

    Trace.__init__ = remembered  # type: ignore[assignment, method-assign]
    try:
        yield made
    finally:
        Trace.__init__ = begin  # type: ignore[method-assign]


def _digests(run, seeds):
    """Return both digests of a run for each seed: 8 digits each, and one over them whole."""
    rows, whole = [], hashlib.sha256()
    with _traces() as made:
        for seed in range(seeds):
            result = run(seed)
            schedules = {one.schedule_digest for one in made if one.digest == result.digest}
            (schedule,) = schedules
            whole.update(f"{result.digest} {schedule} {result.verdict}".encode())
            rows.append(f"{there(result.digest)[:8]} {schedule[:8]}")
            made.clear()
    return [whole.hexdigest(), rows]


def digests_of(path, seeds):
    """Return both digests of a scenario for each seed."""
    scenario = read_scenario(Path(path))
    named = scenario.system or DEFAULT_SYSTEM
    system, backend = load_system(named), open_backend("simulated", needs_node=False)
    return _digests(
        lambda seed: run_scenario(scenario, backend, system=system, system_path=named, seed=seed),
        seeds,
    )


def regression_digests(path, seeds):
    """Return both digests of a regression for each seed: its choices, under that seed."""
    regression = read_regression(Path(path))
    tape = regression.token.tape
    with regression_subject(regression, system=None) as subject:
        return _digests(
            lambda seed: there(carry_out(subject, replace(tape, seed=seed)).result), seeds
        )


def zoo_names():
    """Name the entries of the zoo."""
    return sorted(ZOO)


def _explored(name):
    return explore_subject(
        ZOO[name].subject(seed=SEED),
        strategy_named("portfolio", seed=SEED),
        budget=Budget(runs=RUNS_MAX),
        first=True,
    )


def token_of(name):
    """Return the token of what the portfolio finds of an entry of the zoo."""
    return _explored(name).failures[0].token


def find_of(name):
    """Search an entry of the zoo with the portfolio, and tell the failure that it finds."""
    found = _explored(name)
    (failure,) = found.failures
    token = Token.read(failure.token)
    return {
        "run": failure.runs_to_find,
        "by": failure.found_by,
        "distinct": found.distinct,
        "deviations": [[one.kind, one.where, one.nth, one.value] for one in token.tape.schedule],
        "cause": failure.cause,
        "shrink_runs": failure.shrink_runs,
        "steps": token.steps,
        "checkpoints": list(token.checkpoints),
    }


def broken_cases():
    """List the pairs of a service broken on purpose and a scenario."""
    return sorted({(case.system, case.scenario) for case in CASES})


def broken_of(case):
    """Tell how a broken service fails a scenario."""
    system, scenario = case
    result = run_scenario(
        read_scenario(path_of(scenario)),
        open_backend("simulated", needs_node=False),
        system=load_system(system),
        system_path=system,
        seed=0,
    )
    text = render_result(result).replace(str(HERE.parents[1]) + "/", "")
    failed = [one.name for one in result.checks if one.verdict is Verdict.FAILED]
    return json.dumps([result.digest, failed]) + re.sub(r"[\d.]+ m?s measured", "T", text)


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[int, ...], dict[str, Any]]] = {
    **{f"locked {n}": (test_exhaustive.locked, (n,), {}) for n in (2, 3, 4)},
    "locked 2 twice": (test_exhaustive.locked, (2,), {"times": 2}),
    **{f"unlocked {n}": (test_exhaustive.unlocked, (n,), {}) for n in (2, 3, 4)},
    **{f"independent {n}": (test_exhaustive.independent, (n,), {"group": False}) for n in (2, 3)},
    "independent in a group": (test_exhaustive.independent, (3,), {"group": True}),
    **{
        f"drawn {seed}": (random_programs.random_program, (seed,), {"tasks": 3, "length": 2})
        for seed in range(40)
    },
}


def program_names():
    """Name the programs that are searched exhaustively."""
    return list(PROGRAMS)


def exhausted(name):
    """Search a program exhaustively, within 2,000 runs; count runs and failures."""
    make, arguments, options = PROGRAMS[name]
    made = make(*arguments, **options)
    main = made[0] if isinstance(made, tuple) else made
    strategy, failed = test_exhaustive.searched(main, runs_max=2_000)
    return [strategy.runs, strategy.exhausted, strategy.complete, len(failed)]


def take_for_own(journal, scenario):
    """Have a journal go on with this code, though it refuses any but the code it was made by.

    It gets this code's fingerprint, and forgets the pairs of awaits that it has seen: they are
    named by files, which have moved, and are all seen again.
    """
    first, *others = map(json.loads, journal.read_text().splitlines())
    first["campaign"]["code"] = {scenario: subject_of(scenario, SearchTerms()).fingerprint()[:16]}
    for record in others:
        for part in record.values():
            if isinstance(part, dict) and "interleaved" in part:
                part["interleaved"] = []
    journal.write_text("".join(json.dumps(one) + "\n" for one in (first, *others)))


def failures_in(document):
    """List the failures of a search's JSON document, wherever in it they stand."""
    if isinstance(document, dict):
        if {"cause", "token"} <= document.keys():
            return [document]
        return [one for value in document.values() for one in failures_in(value)]
    if isinstance(document, list):
        return [one for value in document for one in failures_in(value)]
    return []


def without_code(value):
    """Replace each token by what it repeats: all of it but the fingerprint of the code."""
    if isinstance(value, dict):
        return {key: without_code(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_code(one) for one in value]
    if isinstance(value, str):
        return re.sub(r"mh1-[\w-]+", lambda found: _repeats(found.group()), value)
    return value


def _repeats(text):
    try:
        token = Token.read(text)
    except BadInput:
        return text
    deviations = [[one.kind, one.where, one.nth, one.value] for one in token.tape.schedule]
    return json.dumps([token.subject, token.tape.seed, deviations, token.cause, token.steps])


def repeated(name, text):
    """Repeat the failure of a program's token; say whether it is the same in the same order."""
    token = Token.read(text)
    with ZOO[name].subject() as subject:
        again = carry_out(subject, token.tape)
    cause = None if again.failure is None else again.failure.cause
    return [cause, cause_key(cause or "") == token.cause, first_parting(token, again.order)]


def mistakes():
    """Return the message of each bad scenario file of the tests, and its exit code."""
    found = {}
    place = next(HERE.parent.glob("harness/**/mistakes"))
    folder = Path("guarded.toml")
    try:
        for path in sorted(place.glob("*.toml")):
            for name, case in tomllib.loads(path.read_text()).items():
                text = GOOD
                for change in case.get("changes", [case]):
                    old = change.get("old")
                    new = change["new"]
                    text = text.replace(old, new, 1) if old is not None else text + new
                folder.write_text(text)
                try:
                    read_scenario(folder)
                    found[f"{path.stem} {name}"] = "no mistake"
                except BadInput as error:
                    found[f"{path.stem} {name}"] = f"{error.exit_code} {error}"
    finally:
        folder.unlink(missing_ok=True)
    return found
