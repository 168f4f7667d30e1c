"""The name by which tokens and scenario files know serve's adapter, which is in harness.miden."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["serve_core"]  # noqa: F822 - looked up by __getattr__


def __getattr__(name: str) -> Any:
    """Look the adapter up where it is, once it is asked for."""
    return getattr(import_module("harness.miden.adapter.serve_core"), name)
