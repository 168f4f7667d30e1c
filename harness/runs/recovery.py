"""The end of a run in which things went wrong: all is well again, and now it must work."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.history.wait_words import describe
from harness.runs.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from harness.history.plain_data import PlainData
    from harness.history.records import Diagnosis
    from harness.scenario.model import User
    from harness.systems.port import Session

__all__ = ["Recovery", "recovered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What did not work for whom, and what the first that took too long waited for."""

    failures: tuple[str, ...] = ()
    why: str | None = None


async def recovered(
    session: Session,
    users: Sequence[User],
    *,
    within_s: float,
    plain: PlainData,
    diagnose: Callable[[], Diagnosis],
) -> Recovery | None:
    """Probe the system for each user, at once; say what failed, or None if it has no probe.

    A system's ``probe(user)`` does something that must succeed in a world without faults, and
    raises if it does not. It may fail once: the first try may join what began when things still
    went wrong, such as a start that hangs until its deadline, and share its end.
    """
    # A session is the adapter's own: this is the one member that it need not have.
    probe = getattr(session, "probe", None)
    if probe is None:
        return None
    everybody: Sequence[User | None] = users or [None]
    probes = [
        _Probe(partial(probe, user), "nobody" if user is None else user.name, within_s=within_s)
        for user in everybody
    ]
    # Named, so that a diagnosis can tell of them.
    tasks = [asyncio.create_task(one.succeed(plain, diagnose), name=one.name) for one in probes]
    found = await asyncio.gather(*tasks)
    failed = [(text, one.why) for text, one in zip(found, probes, strict=True) if text is not None]
    return Recovery(
        failures=tuple(text for text, _ in failed),
        why=next((why for _, why in failed if why is not None), None),
    )


class _Probe:
    """Tries a system for one user, or for nobody."""

    def __init__(
        self, probe: Callable[[], Awaitable[object]], whose: str, *, within_s: float
    ) -> None:
        self.why: str | None = None
        self.name = f"probe[{whose}]"
        self._probe, self._whose, self._within_s = probe, whose, within_s

    async def succeed(self, plain: PlainData, diagnose: Callable[[], Diagnosis]) -> str | None:
        """Say what failed in two tries; None if one did not."""
        return await self._try(plain, diagnose) and await self._try(plain, diagnose)

    async def _try(self, plain: PlainData, diagnose: Callable[[], Diagnosis]) -> str | None:
        self.why = None

        def look() -> None:
            self.why = describe(diagnose(), of=self.name)

        # What the program itself raises may be a TimeoutError as well.
        late = Deadline(self._within_s, on_late=look, judges=False)
        try:
            with late:
                await self._probe()
        except asyncio.CancelledError:
            if not late.taken_back():
                raise
        except Exception as error:  # noqa: BLE001 - whatever it raises is what is told
            if not late.taken_back():
                record = plain.error(error)
                return f"for {self._whose}: {record.type}: {record.message}"
        else:
            late.taken_back()
            return None
        return f"for {self._whose}: not within {self._within_s:g} s"
