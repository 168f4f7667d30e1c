"""How tests are run: coroutines with a deadline; with Ctrl-C as on a terminal."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings
from pytest_asyncio import is_async_test

TEST_TIMEOUT_S = 120

# Hundreds of tests start a command: what it does at its end has tests of its own.
os.environ.setdefault("HARNESS_ONCE", "1")

# How long an example takes is the machine's affair.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

# A shell script starts what it puts into the background with SIGINT ignored, nohup what it starts
# with SIGHUP. What a test starts, to be interrupted, would inherit that; a handler it does not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)


def pytest_collection_modifyitems(items):
    """Give each coroutine test a deadline: pytest-asyncio, which runs them, has none."""
    for item in items:
        if is_async_test(item):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT_S, func_only=True))
