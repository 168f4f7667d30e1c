"""Claims: a deadline raises its error, and nothing else does."""

import asyncio

import pytest

from serve import Deadlines
from serve.clients.deadlines import deadline
from serve.errors import CommandTimedOut, DialTimedOut, InvalidInput


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "3", True, None])
def test_a_deadline_that_is_no_time_is_refused(value):
    with pytest.raises(InvalidInput, match="spawn_s must be a finite number of seconds > 0"):
        Deadlines(spawn_s=value)


async def test_an_expiry_raises_its_own_class():
    with pytest.raises(CommandTimedOut, match=r"the sync took longer than 0\.01 s"):
        async with deadline(0.01, CommandTimedOut, what="the sync"):
            await asyncio.sleep(5)


@pytest.mark.parametrize("error", [TimeoutError("other"), DialTimedOut("dial")])
async def test_time_outs_of_the_block_itself_pass_unchanged(error):
    with pytest.raises(type(error), match=str(error)):
        async with deadline(5, CommandTimedOut, what="the sync"):
            raise error
