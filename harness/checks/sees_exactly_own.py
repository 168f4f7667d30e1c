"""The check that listings show each user exactly its creations: none lost, none of others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.checks.findings import doubtful, judged, named, nothing_to_judge, operations_of
from harness.checks.kind import CheckKind
from harness.checks.parameters import STEP, Parameters
from harness.history.ends import as_expected
from harness.history.value_path import PathMissing, canonical, values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history.records import History, Operation
    from harness.results.verdict import CheckResult

__all__ = ["KIND", "SeesExactlyOwn", "sees_exactly_own"]

NAME = "sees_exactly_own"


class SeesExactlyOwn(Parameters):
    """Each result of ``listing`` holds what its user had made by then, and nothing else.

    A creation that overlaps the listing may or may not show. A creation that failed or was
    cancelled may show too, since its tail may have gone on, but only to its user. What has been
    shown once must show in every later listing.
    """

    creations: list[str] = Field(
        min_length=1, description="ids of the steps that make something", json_schema_extra=STEP
    )
    listing: str = Field(description="the id of the step that lists", json_schema_extra=STEP)
    created: str = Field(default="account_id", description="where a creation's result has the id")
    listed: str = Field(
        default="client_accounts.*.account_id", description="where a listing has the ids"
    )
    agrees: dict[str, str] = Field(
        default_factory=dict,
        description="keys beside a listed id, and where the creation's arguments hold the same",
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """An id, and the creation that returned it."""

    value: str
    by: Operation


@dataclass(slots=True)
class _Account:
    """What a user has certainly made, and how many further creations may have left an id."""

    made: list[_Made] = field(default_factory=list)
    uncertain: list[Operation] = field(default_factory=list)


def sees_exactly_own(history: History, parameters: SeesExactlyOwn) -> CheckResult:
    """Compare each listing with the creations of its user.

    UNKNOWN where nothing was made, no listing returned, or none showed anything.
    """
    expected = f"each {parameters.listing} to show exactly its user's own"
    accounts: dict[str | None, _Account] = defaultdict(_Account)
    findings: list[str] = []
    for one in operations_of(history, parameters.creations):
        findings += _booked(one, accounts[one.user], path=parameters.created)
    made = {one.value: one for account in accounts.values() for one in account.made}
    findings += _made_twice(accounts)
    every = operations_of(history, parameters.listing)
    listings = [one for one in every if one.succeeded]
    message = f"{len(listings)} listings, {len(made)} made"
    if not (listings and made) and not findings:
        return nothing_to_judge(NAME, expected=expected, seen=message)
    shown = {one.number: _ids(one, parameters.listed) for one in listings}
    if (
        not findings
        and not any(shown.values())
        and not any(_certain(one, accounts[one.user]) for one in listings)
    ):
        return nothing_to_judge(NAME, expected=expected, seen=f"{message}, and nothing to show yet")
    for one in listings:
        findings += _wrong(one, shown[one.number], accounts[one.user], made)
        findings += _disagreeing(one, made, parameters)
    findings += _over_time(listings, shown, accounts, made)
    return judged(
        NAME,
        not findings,
        expected=expected,
        seen=f"{message}, {len(findings)} wrong" if findings else message,
        involved=findings,
        why=findings[0] if findings else None,
        doubts=doubtful(every),
    )


def _booked(creation: Operation, account: _Account, *, path: str) -> list[str]:
    """Note what a creation made; a success without an id is a finding."""
    if not creation.succeeded:
        account.uncertain.append(creation)
        return []
    values = _ids(creation, path)
    if values is None:
        return [f"{named(creation)} has nothing at {path}"]
    account.made += [_Made(value, creation) for value in values]
    return []


def _made_twice(accounts: dict[str | None, _Account]) -> list[str]:
    """Find ids that two users were given."""
    owners: dict[str, list[str | None]] = defaultdict(list)
    for user, account in accounts.items():
        for value in {one.value for one in account.made}:
            owners[value].append(user)
    return [
        f"{value} was made for {' and for '.join(sorted(map(str, users)))}"
        for value, users in sorted(owners.items())
        if len(users) > 1
    ]


def _ids(operation: Operation, path: str) -> list[str] | None:
    try:
        found = values_at(operation.value, path)
    except PathMissing:
        return None
    return [one if isinstance(one, str) else canonical(one) for one in found]


def _certain(listing: Operation, account: _Account) -> set[str]:
    """Select what the listing must show: made before it began.

    Phases follow one another, which orders equal moments of different phases.
    """
    return {
        one.value
        for one in account.made
        if one.by.end_s is not None
        and (
            one.by.end_s < listing.begin_s
            or (one.by.end_s == listing.begin_s and one.by.phase != listing.phase)
        )
    }


def _wrong(
    listing: Operation, shown: list[str] | None, mine: _Account, made: dict[str, _Made]
) -> Iterator[str]:
    """Find what a listing lacks, and what it shows wrongly."""
    who = named(listing)
    if shown is None:
        yield f"{who} has nothing where the ids should be"
        return
    for value in sorted(_certain(listing, mine) - set(shown)):
        yield f"{who} does not show {value}"
    for value in dict.fromkeys(shown):
        owner = made.get(value)
        if owner is None:
            continue
        if owner.by.user != listing.user:
            yield f"{who} shows {value} of {owner.by.user}"
        elif listing.end_s is not None and owner.by.begin_s > listing.end_s:
            yield f"{who} shows {value} before it was asked for"
    if len(shown) != len(set(shown)):
        yield f"{who} shows something twice"


def _over_time(
    listings: list[Operation],
    shown: dict[int, list[str] | None],
    accounts: dict[str | None, _Account],
    made: dict[str, _Made],
) -> Iterator[str]:
    """Follow each user's listings: no id vanishes, and no id comes from nowhere."""
    seen_by: dict[str, set[str | None]] = defaultdict(set)
    for user in dict.fromkeys(one.user for one in listings):
        mine = [one for one in listings if one.user == user]
        unknown: dict[str, Operation] = {}
        for one in mine:
            for value in shown[one.number] or ():
                if value not in made:
                    unknown.setdefault(value, one)
                    seen_by[value].add(user)
        last_s = max(one.end_s or 0.0 for one in mine)
        possible = sum(one.begin_s <= last_s for one in accounts[user].uncertain)
        if len(unknown) > possible:
            value, first = list(unknown.items())[possible]
            yield f"{named(first)} shows {value}, which nobody made"
        yield from _vanished(mine, shown)
    for value, users in seen_by.items():
        if len(users) > 1:
            yield f"{value} is shown to {' and to '.join(sorted(map(str, users)))}"


def _vanished(listings: list[Operation], shown: dict[int, list[str] | None]) -> Iterator[str]:
    """Find what an earlier listing of the same user showed and a later one lacks."""
    ended: list[Operation] = []
    for later in sorted(listings, key=lambda one: (one.begin_s, one.number)):
        before = {
            value
            for one in ended
            if one.end_s is not None and one.end_s < later.begin_s
            for value in shown[one.number] or ()
        }
        for value in sorted(before - set(shown[later.number] or ())):
            yield f"{named(later)} no longer shows {value}"
        ended.append(later)


def _disagreeing(
    listing: Operation, made: dict[str, _Made], parameters: SeesExactlyOwn
) -> Iterator[str]:
    """Compare what stands beside a listed id with its creation's arguments."""
    if not parameters.agrees:
        return
    rows, _, id_key = parameters.listed.rpartition(".")
    try:
        entries: list[Any] = values_at(listing.value, rows)
    except PathMissing:
        return
    for entry in entries:
        one = made.get(str(entry.get(id_key))) if isinstance(entry, dict) else None
        if one is None or not as_expected(one.by):
            continue
        for key, path in parameters.agrees.items():
            asked = _ids_of(one.by.arguments, path)
            found = [canonical(entry.get(key))]
            if asked != found:
                yield (
                    f"{named(listing)} shows {one.value} with {key} {found[0]},"
                    f" made with {', '.join(asked) or 'none'}"
                )


def _ids_of(arguments: Any, path: str) -> list[str]:
    try:
        return [canonical(one) for one in values_at(arguments, path)]
    except PathMissing:
        return []


KIND = CheckKind(name=NAME, parameters=SeesExactlyOwn, check=sees_exactly_own, faultless=True)
