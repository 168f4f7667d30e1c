"""Own the end of a run in which things went wrong: all is well again, and now it must work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.verdict import CheckResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.plain_data import PlainData
    from harness.scenario import User
    from harness.system import Session

__all__ = ["recovered", "told_recovery"]

EXPECTED = "the system to work for everybody once nothing goes wrong any more"


async def recovered(
    session: Session, users: Sequence[User], *, within_s: float, plain: PlainData
) -> list[str] | None:
    """Probe the system for each user, at once; return what failed, or None if it has no probe.

    A system's ``probe(user)`` does something that must succeed in a world without faults, and
    raises if it does not. It may fail once: the first try may join what began when things still
    went wrong, such as a start that hangs until its deadline, and share its end.
    """
    probe = getattr(session, "probe", None)
    if probe is None:
        return None

    async def try_for(user: User | None) -> str | None:
        whose = "nobody" if user is None else user.name
        # What the program itself raises may be a TimeoutError as well.
        scope = asyncio.timeout(within_s)
        try:
            async with scope:
                await probe(user)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is told
            if scope.expired():
                return f"for {whose}: not within {within_s:g} s"
            told = plain.error(error)
            return f"for {whose}: {told.type}: {told.message}"
        return None

    async def try_twice_for(user: User | None) -> str | None:
        return await try_for(user) and await try_for(user)

    everybody: Sequence[User | None] = users or [None]
    found = await asyncio.gather(*(try_twice_for(user) for user in everybody))
    return [one for one in found if one is not None]


def told_recovery(failures: list[str] | None) -> Iterator[CheckResult]:
    """Make the result of the check ``recovers``; none for a system without a probe."""
    if failures is None:
        return
    yield CheckResult(
        name="recovers",
        verdict=Verdict.FAILED if failures else Verdict.PASSED,
        expected=EXPECTED,
        seen=failures[0] if failures else "it does",
        involved=tuple(failures),
    )
