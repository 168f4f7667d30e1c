"""The name by which tokens and scenario files know serve's adapter, which is in harness.miden."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from harness.errors import BadInput

__all__ = ["serve_core"]  # noqa: F822 - looked up by __getattr__


def __getattr__(name: str) -> Any:
    """Look the adapter up where it is, once it is asked for.

    Raises:
        BadInput: mosaic-serve is not installed, or something else of that name hides it.
    """
    try:
        adapter = import_module("harness.miden.adapter.serve_core")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "serve":
            raise
        found = find_spec("serve")
        why = (
            'which is not installed: pip install mosaic-serve, or "./serve" in a checkout'
            if found is None
            else f"whose package serve is hidden by {found.origin}: rename that one"
        )
        raise BadInput(
            f"system serve: needs mosaic-serve, {why}; or name a system of your own"
        ) from error
    return getattr(adapter, name)
