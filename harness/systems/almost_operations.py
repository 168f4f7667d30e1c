"""Methods that are nearly operations: what each is instead, and what to make of it."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["almost_operations"]


def almost_operations(service: type) -> Iterator[tuple[str, str]]:
    """Name the public methods of a class that are not async, though their author meant them so."""
    for name in sorted(type.__dir__(service)):
        if not name.startswith("_"):
            why = _why(inspect.getattr_static(service, name, None))
            if why is not None:
                yield name, why


def _why(method: Any) -> str | None:
    if isinstance(method, (staticmethod, classmethod)):
        method = method.__func__
    if inspect.isasyncgenfunction(method):
        return 'is an asynchronous generator: write an "async def" that iterates over it'
    if isinstance(method, functools.partialmethod) and _is_async(method.func):
        return 'is a functools.partialmethod: write it out as an "async def"'
    if isinstance(method, functools.partial) and _is_async(method.func):
        return 'is a functools.partial: write it out as an "async def"'
    if inspect.isfunction(method) and not _is_async(method) and _is_async(inspect.unwrap(method)):
        return 'is wrapped by a decorator in a plain function: make that an "async def", too'
    return None


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
