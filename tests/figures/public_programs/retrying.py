"""Correct programs that use tenacity, backoff, stamina and purgatory: calls that are made again."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections import Counter
from datetime import timedelta

import backoff
import purgatory
import stamina
import tenacity

# It tells of each retry in a log otherwise.
stamina.instrumentation.set_on_retry_hooks([])

__all__ = ["PROGRAMS"]


class _Flaky:
    """Fails so often before it answers."""

    def __init__(self, failures, error=ConnectionError):
        self.failures, self.error, self.calls = failures, error, 0

    async def __call__(self):
        self.calls += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        if self.calls <= self.failures:
            raise self.error(f"call {self.calls}")
        return "answer"


async def tenacity_a_function_that_is_tried_again():
    flaky = _Flaky(2)

    @tenacity.retry(
        stop=tenacity.stop_after_attempt(5),
        wait=tenacity.wait_exponential_jitter(initial=0.1, max=1),
        retry=tenacity.retry_if_exception_type(ConnectionError),
    )
    async def call():
        return await flaky()

    async def other():
        await asyncio.sleep(random.uniform(0, 1))

    answer, _ = await asyncio.gather(call(), other())
    assert answer == "answer"
    assert flaky.calls == 3


async def tenacity_attempts_in_a_loop():
    flaky, attempts = _Flaky(3), []

    async def call():
        async for attempt in tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(4), wait=tenacity.wait_random(0, 0.1), reraise=True
        ):
            with attempt:
                attempts.append(attempt.retry_state.attempt_number)
                return await flaky()
        return None

    assert list(await asyncio.gather(call(), asyncio.sleep(0.05))) == ["answer", None]
    assert attempts == [1, 2, 3, 4]


async def tenacity_one_that_gives_up():
    flaky = _Flaky(9)
    retrying = tenacity.AsyncRetrying(
        stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(0.1)
    )

    async def call():
        try:
            return await retrying(flaky)
        except tenacity.RetryError as error:
            return error.last_attempt.attempt_number

    assert await call() == 3
    assert flaky.calls == 3


async def tenacity_a_result_that_is_asked_for_until_it_is_there():
    state = "pending"

    async def work():
        nonlocal state
        await asyncio.sleep(random.uniform(0, 0.3))
        state = "done"

    @tenacity.retry(
        wait=tenacity.wait_fixed(0.1),
        retry=tenacity.retry_if_result(lambda found: found == "pending"),
        stop=tenacity.stop_after_delay(60),
    )
    async def ask():
        await asyncio.sleep(random.uniform(0, 0.01))
        return state

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        asking = group.create_task(ask())
    assert asking.result() == "done"


async def backoff_on_an_error():
    flaky, told = _Flaky(2), Counter()

    def count(details):
        told["tries"] = details["tries"]

    @backoff.on_exception(backoff.expo, ConnectionError, max_tries=5, on_backoff=count)
    async def call():
        return await flaky()

    answers = await asyncio.gather(call(), asyncio.sleep(0.01, "slept"))
    assert list(answers) == ["answer", "slept"]
    assert told == {"tries": 2}


async def backoff_on_an_answer():
    answers = iter((None, None, "found"))

    @backoff.on_predicate(backoff.constant, interval=0.1, jitter=backoff.full_jitter)
    async def poll():
        await asyncio.sleep(random.uniform(0, 0.01))
        return next(answers)

    assert list(await asyncio.gather(poll(), asyncio.sleep(0.2))) == ["found", None]


async def backoff_one_that_gives_up():
    flaky = _Flaky(9)

    @backoff.on_exception(backoff.fibo, ConnectionError, max_tries=3, jitter=None)
    async def call():
        return await flaky()

    found = await asyncio.gather(call(), return_exceptions=True)
    assert isinstance(found[0], ConnectionError)
    assert flaky.calls == 3


async def stamina_a_function_that_is_tried_again():
    flaky = _Flaky(2)

    @stamina.retry(on=ConnectionError, attempts=5, wait_initial=timedelta(seconds=0.05))
    async def call():
        return await flaky()

    async with asyncio.TaskGroup() as group:
        calling = group.create_task(call())
        group.create_task(asyncio.sleep(random.uniform(0, 0.1)))
    assert calling.result() == "answer"
    assert flaky.calls == 3


async def stamina_attempts_in_a_context():
    flaky = _Flaky(1, error=OSError)

    async def call():
        async for attempt in stamina.retry_context(on=OSError, attempts=3, timeout=60):
            with attempt:
                return await flaky()
        return None

    assert list(await asyncio.gather(call(), asyncio.sleep(0.01))) == ["answer", None]
    assert flaky.calls == 2


async def purgatory_a_breaker():
    breakers = purgatory.AsyncCircuitBreakerFactory(default_threshold=2, default_ttl=20)
    outcomes = Counter()

    async def ask(*, works):
        await asyncio.sleep(random.uniform(0, 0.01))
        if not works:
            raise ConnectionError

    async def call(*, works):
        try:
            async with await breakers.get_breaker("server"):
                await ask(works=works)
                outcomes["answered"] += 1
        except (ConnectionError, purgatory.domain.model.OpenedState) as error:
            outcomes[type(error).__name__] += 1

    await call(works=True)
    await asyncio.gather(call(works=False), call(works=False))
    await call(works=True)
    await asyncio.sleep(40)
    await call(works=True)
    assert outcomes == {"answered": 2, "ConnectionError": 2, "OpenedState": 1}


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
