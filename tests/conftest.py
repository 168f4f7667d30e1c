"""How tests are run: coroutines each on a loop of its own; with Ctrl-C as on a terminal."""

from __future__ import annotations

import asyncio
import inspect
import signal

import pytest

TEST_TIMEOUT_S = 20

# A shell script starts what it puts into the background with SIGINT ignored, nohup what it starts
# with SIGHUP. What a test starts, to be interrupted, would inherit that; a handler it does not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a coroutine test on a loop of its own, and not for ever."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def run():
        async with asyncio.timeout(TEST_TIMEOUT_S):
            await pyfuncitem.obj(**arguments)

    asyncio.run(run())
    return True
