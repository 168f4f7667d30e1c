"""The rules that let every claim both hold and fail."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from harness.checks.no_deadlock import NoDeadlock
from harness.history.paired_interval import PAIRS_MIN
from harness.history.records import NodeKind
from harness.scenario.outline import calls_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.scenario.check_table import PlacedCheck
    from harness.scenario.outline import Outline, PhasePlace, StepPlace

    # A parameter of a check, and what is wrong with it.
    Finding = tuple[str, str]

from harness.scenario.mistakes import Mistake

__all__ = ["claim_mistakes", "never_succeeds"]


def claim_mistakes(outline: Outline, checks: list[PlacedCheck]) -> Iterator[Mistake]:
    """Find checks that could never hold, or that would hold whatever the service does."""
    for check in checks:
        judge = JUDGES.get(check.check.name)
        if judge is None:
            continue
        for key, what in judge(check.check.parameters, outline, check.kind):
            yield Mistake(check.at(key), what)
    yield from _within_deadline(checks)


def never_succeeds(step: StepPlace) -> str | None:
    """Say why no call of a step can return, or return None."""
    if step.step is None:
        return None
    expect, cancel = step.step.expect, step.step.cancel
    if expect not in ("success", "any"):
        return f'"{step.name}" expects {expect}, so it has no result'
    if cancel is not None and cancel.copies == "all":
        return f'all copies of "{step.name}" are cancelled, so it has no result'
    return None


def _returns(name: str | None, outline: Outline, key: str) -> Iterator[Finding]:
    step = outline.steps.get(name) if name else None
    message = never_succeeds(step) if step else None
    if message is not None:
        yield key, f"{message} to judge; name another step"


def _same_result(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    for name in parameters.steps:
        yield from _returns(name, outline, "of")
    place = outline.steps.get(parameters.steps[0])
    alone = len(parameters.steps) == 1
    if alone and place and place.step and calls_each(place.step) < 2:
        whom = "for each user" if place.step.user is not None else "in all"
        yield (
            "of",
            f'"{place.name}" is called once {whom}, so there is nothing to compare;'
            " give the step times = 2 or more",
        )


def _distinct_results(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    names = parameters.of if isinstance(parameters.of, list) else [parameters.of]
    for name in names:
        yield from _returns(name, outline, "of")
    step = outline.steps.get(parameters.of) if isinstance(parameters.of, str) else None
    if step is None or step.step is None or outline.users is None or "*" in parameters.path:
        return
    if outline.calls(step.step) == 1:
        yield (
            "of",
            f'"{parameters.of}" is called once, and one id is always distinct; name more steps',
        )


def _result(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    yield from _returns(parameters.of, outline, "of")
    place = outline.steps.get(parameters.of)
    if place and place.step and place.step.user is None and "{user}" in repr(parameters.equals):
        yield "equals", f'holds {{user}}, but "{parameters.of}" has no user; write the text itself'


def _success_share(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    if parameters.of is not None:
        yield from _returns(parameters.of, outline, "of")
    chosen = [
        one.step
        for name, one in outline.steps.items()
        if one.step and parameters.of in (None, name)
    ]
    if (
        parameters.at_least < 1
        and chosen
        and all(one.expect == "success" and one.cancel is None for one in chosen)
    ):
        yield (
            "at_least",
            'a step fails the run when one of its calls fails; write expect = "any" in the step'
            " to let some fail",
        )


def _sees_exactly_own(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    yield from _returns(parameters.listing, outline, "listing")
    if parameters.listing in parameters.creations:
        yield "listing", f'"{parameters.listing}" stands among the creations as well'
        return
    makers = [outline.steps[name] for name in parameters.creations if name in outline.steps]
    if makers and all(map(never_succeeds, makers)):
        yield "creations", "none of these steps is expected to make anything"
    listing = outline.steps.get(parameters.listing)
    if listing and makers and all(one.phase > listing.phase for one in makers):
        yield "listing", f'"{parameters.listing}" runs in a phase before anything is made'


def _ends_before(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    first, then = outline.steps.get(parameters.first), outline.steps.get(parameters.then)
    if not first or not then:
        return
    if first.phase != then.phase:
        yield "first", f'"{first.name}" and "{then.name}" must stand in one phase, or never meet'
    if then.step and then.step.repeat and then.step.repeat.times > 1:
        yield (
            "then",
            f'"{then.name}" repeats, and nothing ends inside each of its turns; write times',
        )


def _overlap(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    for command in parameters.commands:
        if not re.fullmatch(r"[a-z_]+", command):
            yield "commands", f'must be names such as "spawn" or "sync", got "{command}"'
    if outline.users is not None and len(outline.users) < 2:
        yield "commands", f"needs two users to lie over each other, has {len(outline.users)}"


def _elapsed(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    for key in ("phase", "times"):
        yield from _has_steps(getattr(parameters, key), outline, key)


def _speedup(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    yield from _has_steps(parameters.phase, outline, "phase")
    most = max(parameters.rounds, parameters.rounds_max)
    if kind == NodeKind.LIVE and most < PAIRS_MIN:
        yield "rounds_max", f"must be at least {PAIRS_MIN} for live runs to tell, got {most}"
    phase = outline.phase_by_name.get(parameters.phase)
    if phase is None or not phase.steps or any(one.step is None for one in phase.steps):
        return
    if "close" in phase.raw:
        yield "phase", f'"{phase.name}" has a close, after which its calls fail; time another phase'
    for one in phase.steps:
        for key in ("start", "park", "cancel"):
            if getattr(one.step, key) is not None:
                yield (
                    "phase",
                    f'"{one.name}" has a {key}, which has no meaning when the calls run one after'
                    " another; time a phase without it",
                )
        if one.step and one.step.expect != "success":
            yield (
                "phase",
                f'"{one.name}" expects {one.step.expect}, and only timings without a failure count',
            )
    yield from _several_calls(parameters, phase, outline)


def _several_calls(parameters: Any, phase: PhasePlace, outline: Outline) -> Iterator[Finding]:
    # The calls of a repeat follow one another in both pacings, so they count as a single call.
    side_by_side = sum(
        len(outline.people(one.step)) * one.step.times for one in phase.steps if one.step
    )
    if outline.users is None:
        return
    if side_by_side < 2:
        yield (
            "phase",
            f'"{phase.name}" has one call, which is never faster together; add users or times',
        )
    elif parameters.at_most is not None and parameters.at_most >= side_by_side:
        yield (
            "at_most",
            f'must be under {side_by_side}, since the {side_by_side} calls of "{phase.name}" are'
            f" never faster together than that; got {parameters.at_most:g}",
        )


def _has_steps(name: str, outline: Outline, key: str) -> Iterator[Finding]:
    phase = outline.phase_by_name.get(name)
    if phase is not None and not phase.steps:
        yield key, f'the phase "{name}" has no step to time'


def _linearizable(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del kind
    chosen = [
        one.step
        for name, one in outline.steps.items()
        if (one.step and parameters.of is None) or name in (parameters.of or ())
    ]
    steps = [one for one in chosen if one is not None]
    for name, meaning in parameters.operations.items():
        for call in meaning.calls:
            mine = [one for one in steps if one.call == call]
            if not mine:
                yield f"{name}.call", f'no step calls "{call}"; name a call of one of the steps'
            for key in ("key", "value", "old"):
                path = getattr(meaning, key)
                first = (path or "").partition(".")[0]
                for one in mine:
                    if path and first not in ("user", *one.arguments):
                        yield (
                            f"{name}.{key}",
                            f'"{one.name}" is called without "{first}"; its arguments:'
                            f" {', '.join(one.arguments) or 'none'}",
                        )


# Calls that have nothing in common.
ODD_CALLS = ("sqlite3.connect", "/var/lib/x-y/Z 1.db", "serve/store/storage_lock.py")


def _no_blocking_calls(parameters: Any, outline: Outline, kind: str) -> Iterator[Finding]:
    del outline, kind
    for number, pattern in enumerate(parameters.allow):
        if all(fnmatchcase(one, pattern) for one in ODD_CALLS):
            yield (
                f"allow[{number}]",
                f'"{pattern}" allows every call, so the check could not fail; name what may block',
            )


def _within_deadline(checks: list[PlacedCheck]) -> Iterator[Mistake]:
    """Find limits over the deadline of an operation: what comes later is cut off before."""
    for check in checks:
        if check.check.name != "latency":
            continue
        within_s = next(
            (
                one.check.parameters.within_s
                for one in checks
                if one.kind == check.kind and one.check.name == "no_deadlock"
            ),
            NoDeadlock().within_s,
        )
        for key in ("p50_ms", "p95_ms", "max_ms"):
            limit_ms = getattr(check.check.parameters, key)
            if limit_ms is not None and limit_ms > within_s * 1e3:
                yield Mistake(
                    check.at(key),
                    f"must be at most the {within_s:g} s that no_deadlock.within_s gives an"
                    f" operation, or no operation can break it, got {limit_ms:g}",
                )


JUDGES: dict[str, Callable[[Any, Outline, str], Iterator[Finding]]] = {
    "distinct_results": _distinct_results,
    "elapsed": _elapsed,
    "ends_before": _ends_before,
    "linearizable": _linearizable,
    "no_blocking_calls": _no_blocking_calls,
    "overlap": _overlap,
    "result": _result,
    "same_result": _same_result,
    "sees_exactly_own": _sees_exactly_own,
    "speedup": _speedup,
    "success_share": _success_share,
}
