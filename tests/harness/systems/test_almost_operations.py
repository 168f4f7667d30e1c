"""A class whose methods are nearly operations is told which, and what to make of each."""

from __future__ import annotations

import functools

import pytest

from harness.errors import BadInput
from harness.systems.plain_service import PlainService


def decorated(function):
    @functools.wraps(function)
    def plain(*arguments):
        return function(*arguments)

    return plain


class Feeds:
    async def feed(self):
        yield 1


class Decorated:
    @decorated
    async def buy(self):
        return 1


class Partial:
    async def _buy(self, number):
        return number

    buy = functools.partialmethod(_buy, 1)


class OfTheClass:
    @staticmethod
    async def buy():
        return 1

    @classmethod
    async def sell(cls):
        return 1


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (Feeds, "feed is an asynchronous generator"),
        (Decorated, "buy is wrapped by a decorator in a plain function"),
        (Partial, "buy is a functools.partialmethod"),
    ],
)
def test_what_is_nearly_an_operation_is_told(service, told):
    with pytest.raises(BadInput, match=told):
        PlainService(service)


def test_methods_of_the_class_are_operations():
    assert PlainService(OfTheClass).operations == ("buy", "sell")
