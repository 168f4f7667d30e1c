"""The shop in a folder of its own, for the tests of searches."""

from __future__ import annotations

from tests.harness.shop_folder import begin, harness, pay, shop  # noqa: F401 - fixtures
