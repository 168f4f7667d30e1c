"""Own the claim that each user sees exactly what is its own: nothing lost, nothing of others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import Field

from harness.checks.findings import judged, named, nothing_to_judge
from harness.checks.parameters import Parameters
from harness.checks.value_path import PathMissing, values_at

if TYPE_CHECKING:
    from harness.history import History, Operation
    from harness.verdict import CheckResult

__all__ = ["SeesExactlyOwn", "sees_exactly_own"]


class SeesExactlyOwn(Parameters):
    """Each result of ``listing`` holds what its user had made by then, and nothing else.

    What is being made while the listing runs may or may not show. A creation that failed or was
    cancelled may show too, since its tail may have gone on, but only to its own user.
    """

    creations: list[str] = Field(min_length=1, description="ids of the steps that make something")
    listing: str = Field(description="the id of the step that lists")
    created: str = Field(default="account_id", description="where a creation's result has the id")
    listed: str = Field(
        default="client_accounts.*.account_id", description="where a listing has the ids"
    )


@dataclass(slots=True)
class _Made:
    """What one user has made, by the end of its creation, and what may show besides."""

    ended: list[tuple[float, float, str]] = field(default_factory=list)
    uncertain: int = 0


def sees_exactly_own(history: History, parameters: SeesExactlyOwn) -> CheckResult:
    """Compare each listing with the creations of its user that had ended when it began."""
    expected = f"each {parameters.listing} to show exactly its user's own"
    made: dict[str | None, _Made] = defaultdict(_Made)
    owner: dict[str, str | None] = {}
    for one in history.operations:
        if one.step not in parameters.creations:
            continue
        if not one.succeeded or one.end_s is None:
            made[one.user].uncertain += 1
            continue
        for value in _ids(one, parameters.created):
            made[one.user].ended.append((one.begin_s, one.end_s, value))
            owner[value] = one.user
    listings = [one for one in history.operations if one.step == parameters.listing and one.succeeded]
    if not listings or not owner:
        return nothing_to_judge(
            "sees_exactly_own", expected=expected, seen=f"{len(listings)} listings, {len(owner)} made"
        )
    findings = [
        finding
        for one in listings
        for finding in _wrong(one, made[one.user], owner, path=parameters.listed)
    ]
    return judged(
        "sees_exactly_own",
        not findings,
        expected=expected,
        seen=f"{len(listings)} listings, {len(findings)} of them wrong"
        if findings
        else f"{len(listings)} listings over {len(owner)} made",
        involved=findings,
    )


def _ids(operation: Operation, path: str) -> list[str]:
    try:
        return [str(value) for value in values_at(operation.value, path)]
    except PathMissing:
        return [f"nothing at {path}"]


def _wrong(
    listing: Operation, mine: _Made, owner: dict[str, str | None], *, path: str
) -> list[str]:
    shown = _ids(listing, path)
    must = {value for _, end_s, value in mine.ended if end_s <= listing.begin_s}
    may = {
        value
        for begin_s, _, value in mine.ended
        if listing.end_s is None or begin_s < listing.end_s
    }
    lost = sorted(must - set(shown))
    foreign = [one for one in shown if one in owner and owner[one] != listing.user]
    unknown = [one for one in shown if one not in owner]
    early = [one for one in shown if owner.get(one) == listing.user and one not in may]
    told = [f"{named(listing)} does not show {one}" for one in lost]
    told += [f"{named(listing)} shows {one} of {owner[one]}" for one in foreign]
    told += [f"{named(listing)} shows {one} before it was asked for" for one in early]
    if len(unknown) > mine.uncertain:
        told.append(f"{named(listing)} shows what nobody made: {', '.join(unknown[:3])}")
    if len(shown) != len(set(shown)):
        told.append(f"{named(listing)} shows something twice")
    return told
