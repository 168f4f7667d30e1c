"""What may be missing in general, and is not in the test at hand."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def there(value: T | None) -> T:
    """Give the value back, as one that is there; fail if it is None."""
    assert value is not None
    return value
