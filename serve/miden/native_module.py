"""The import of the native extension, which is a separate distribution."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Protocol

    import mosaic_miden_client as native

    class NativeModule(Protocol):
        """What this package uses of the extension."""

        Client: type[native.Client]
        Mailbox: type[native.Mailbox]
        MidenError: type[native.MidenError]


__all__ = ["load"]


def load() -> NativeModule:
    """Return the extension.

    Raises:
        ModuleNotFoundError: It is not installed; the message says how to install it.
    """
    try:
        module: ModuleType = import_module("mosaic_miden_client")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "the live Miden client needs the native extension mosaic-miden-client; "
            "install it from the source tree with: pip install ./serve/miden/native "
            "(needs Rust 1.93 or later and a C compiler)",
            name="mosaic_miden_client",
        ) from error
    return cast("NativeModule", module)
