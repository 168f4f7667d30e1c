"""Errors that several tasks raise."""

from __future__ import annotations

import copy

from serve.errors import ClientFailed

__all__ = ["copy_of"]


def copy_of(error: BaseException) -> BaseException:
    """Return a separate object for another task that is to raise the same error.

    A shared one would mix the tasks' tracebacks, and show one's notes and context in the other.
    """
    try:
        copied = copy.copy(error)
    except Exception:  # noqa: BLE001  # an error class of a client's that cannot be copied
        copied = ClientFailed(str(error))
    copied.__cause__ = error.__cause__ or error
    return copied.with_traceback(error.__traceback__)
