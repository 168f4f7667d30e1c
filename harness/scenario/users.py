"""The reading of a scenario's users: names, tables, or a count."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from pydantic import ValidationError

from harness.scenario.mistakes import Mistake, values_mistakes
from harness.scenario.model import NAME_LETTERS_MAX, NAME_PATTERN, USERS_MAX, User, UserCount
from harness.scenario.words import shown

__all__ = ["EVERYONE", "read_users"]

EVERYONE = "each"
NUMBER = "{number}"
FORMS = 'a list of names such as ["alice", "bob"], or { count = 10 }'


def read_users(given: Any) -> tuple[list[User], list[Mistake]]:
    """Make the users of a file's ``users`` key, and find every mistake in it."""
    if given is None:
        return [], []
    if isinstance(given, dict):
        return _counted(given)
    if not isinstance(given, list):
        return [], [Mistake("users", f"must be {FORMS}, got {shown(given)}")]
    if not given:
        message = f"must name somebody: {FORMS}; leave it out where no step has a user"
        return [], [Mistake("users", message)]
    return _listed(given)


def _counted(given: dict[str, Any]) -> tuple[list[User], list[Mistake]]:
    try:
        many = UserCount.model_validate(given)
    except ValidationError as error:
        mistakes = [
            Mistake(f"users.{one.where}".rstrip("."), one.what)
            for one in values_mistakes(error, given, UserCount)
        ]
        if "count" not in given and not set(given) & {"name", "data"}:
            mistakes = [Mistake("users", f"must be {FORMS}, got {shown(given)}")]
        return [], mistakes
    longest = many.name.replace(NUMBER, str(many.count - 1))
    if not re.fullmatch(NAME_PATTERN, longest) or len(longest) > NAME_LETTERS_MAX:
        rule = f'letters, digits, "_", "-" and ".", at most {NAME_LETTERS_MAX}, around {NUMBER}'
        return [], [Mistake("users.name", f"must be {rule}, got {shown(many.name)}")]
    users = [
        User(name=_numbered(many.name, number), data=_numbered(many.data, number))
        for number in range(many.count)
    ]
    return users, []


def _listed(given: list[Any]) -> tuple[list[User], list[Mistake]]:
    if len(given) > USERS_MAX:
        message = f"must be at most {USERS_MAX:_} users, got {len(given):_}"
        return [], [Mistake("users", message)]
    users: list[User] = []
    mistakes: list[Mistake] = []
    for number, one in enumerate(given):
        where = f"users[{number}]"
        if not isinstance(one, str | dict):
            message = f"must be a name in quotes, or a table with a name, got {shown(one)}"
            mistakes.append(Mistake(where, message))
            continue
        table = {"name": one} if isinstance(one, str) else one
        try:
            users.append(User.model_validate(table))
        except ValidationError as error:
            mistakes += [
                Mistake(where if isinstance(one, str) else f"{where}.{found.where}", found.what)
                for found in values_mistakes(error, table, User)
            ]
    counts = Counter(user.name for user in users)
    mistakes += [
        Mistake("users", f'"{name}" stands {count} times; every name must be another')
        for name, count in counts.items()
        if count > 1
    ]
    if EVERYONE in counts:
        message = f'"{EVERYONE}" means all users where a step says it; take another name'
        mistakes.append(Mistake("users", message))
    return users, mistakes


def _numbered(value: Any, number: int) -> Any:
    """Put a user's number into every text."""
    if isinstance(value, str):
        return value.replace(NUMBER, str(number))
    if isinstance(value, dict):
        return {key: _numbered(one, number) for key, one in value.items()}
    return [_numbered(one, number) for one in value] if isinstance(value, list) else value
