"""The name by which tokens and scenario files know serve's adapter, which is in harness.miden."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from harness.systems.imports import needing_serve

__all__ = ["serve_core"]  # noqa: F822 - looked up by __getattr__


def __getattr__(name: str) -> Any:
    """Look the adapter up where it is, once it is asked for.

    Raises:
        BadInput: mosaic-serve is not installed, or something else of that name hides it.
    """
    with needing_serve("system serve:", otherwise="name a system of your own"):
        adapter = import_module("harness.miden.adapter.serve_core")
    return getattr(adapter, name)
