"""Claim: without the native extension, the live client says how to install it."""

from __future__ import annotations

import sys

import pytest

from serve.miden import MidenClientFactory


def test_a_missing_extension_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mosaic_miden_client", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install \./serve/miden/native") as caught:
        MidenClientFactory()
    assert caught.value.name == "mosaic_miden_client"
