"""Correct programs that use httpx, starlette, fastapi and quart: servers and clients in memory."""

from __future__ import annotations

import asyncio
import inspect
import random
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import Depends, FastAPI, HTTPException
from quart import Quart
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

__all__ = ["PROGRAMS"]


def _client_of(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


async def httpx_a_client_that_is_answered_by_a_function():
    seen = []

    async def answer(request):
        await asyncio.sleep(random.uniform(0, 0.01))
        seen.append(request.url.path)
        return httpx.Response(200, json={"path": request.url.path})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://test"
    ) as client:

        async def get(path):
            return (await client.get(path)).json()["path"]

        assert list(await asyncio.gather(get("/a"), get("/b"), get("/c"))) == ["/a", "/b", "/c"]
    assert sorted(seen) == ["/a", "/b", "/c"]


async def httpx_a_call_that_is_tried_again():
    calls = 0

    async def answer(_request):
        nonlocal calls
        calls += 1
        await asyncio.sleep(random.uniform(0, 0.01))
        return httpx.Response(503 if calls < 3 else 200)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="http://test"
    ) as client:
        response = await client.get("/")
        while response.status_code == 503:
            await asyncio.sleep(random.uniform(0, 0.1))
            response = await client.get("/")
    assert response.status_code == 200
    assert calls == 3


async def httpx_hooks_and_a_limit():
    log, permits = [], asyncio.Semaphore(2)

    async def note(request):
        log.append(request.method)

    async def answer(_request):
        await asyncio.sleep(random.uniform(0, 0.01))
        return httpx.Response(204)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), event_hooks={"request": [note]}
    ) as client:

        async def call():
            async with permits:
                return (await client.delete("http://test/")).status_code

        assert list(await asyncio.gather(*(call() for _ in range(4)))) == [204] * 4
    assert log == ["DELETE"] * 4


async def starlette_a_counter():
    total, lock = 0, asyncio.Lock()

    async def add(request):
        nonlocal total
        async with lock:
            before = total
            await asyncio.sleep(random.uniform(0, 0.01))
            total = before + int(request.path_params["amount"])
        return JSONResponse({"total": total})

    app = Starlette(routes=[Route("/add/{amount}", add, methods=["POST"])])
    async with _client_of(app) as client:
        await asyncio.gather(*(client.post(f"/add/{amount}") for amount in (1, 10, 100)))
    assert total == 111


async def starlette_an_answer_that_is_streamed():
    async def rows():
        for number in range(4):
            await asyncio.sleep(random.uniform(0, 0.005))
            yield f"{number}\n"

    async def export(_request):
        return StreamingResponse(rows())

    app = Starlette(routes=[Route("/", export)])
    async with _client_of(app) as client:
        answers = await asyncio.gather(client.get("/"), client.get("/"))
    assert [one.text for one in answers] == ["0\n1\n2\n3\n"] * 2


async def starlette_work_after_the_answer():
    mailed = []

    async def mail(number):
        await asyncio.sleep(random.uniform(0, 0.01))
        mailed.append(number)

    async def order(request):
        number = int(request.query_params["number"])
        return JSONResponse({}, background=BackgroundTask(mail, number))

    app = Starlette(routes=[Route("/", order)])
    async with _client_of(app) as client:
        await asyncio.gather(*(client.get("/", params={"number": one}) for one in range(3)))
    assert sorted(mailed) == [0, 1, 2]


def _bank():
    accounts, lock = {"a": 100, "b": 0}, asyncio.Lock()

    @asynccontextmanager
    async def transaction():
        async with lock:
            changed = dict(accounts)
            yield changed
            accounts.update(changed)

    async def session():
        async with transaction() as changed:
            yield changed

    async def move(amount: int, rows: Any = Depends(session)) -> dict[str, int]:  # noqa: B008
        if rows["a"] < amount:
            raise HTTPException(409, "not enough")
        rows["a"] -= amount
        await asyncio.sleep(random.uniform(0, 0.01))
        rows["b"] += amount
        return {"left": rows["a"]}

    app = FastAPI()
    app.add_api_route("/move/{amount}", move, methods=["POST"])
    return app, accounts


async def fastapi_transactions_as_dependencies():
    app, accounts = _bank()
    async with _client_of(app) as client:
        answers = await asyncio.gather(*(client.post(f"/move/{one}") for one in (60, 30, 50)))
    assert sorted(one.status_code for one in answers) in ([200, 200, 409], [200, 409, 409])
    assert sum(accounts.values()) == 100
    assert min(accounts.values()) >= 0


async def fastapi_a_question_that_times_out():
    app = FastAPI()

    @app.get("/slow/{seconds}")
    async def slow(seconds: float) -> str:
        try:
            async with asyncio.timeout(5):
                await asyncio.sleep(seconds)
        except TimeoutError:
            raise HTTPException(504) from None
        return "in time"

    async with _client_of(app) as client:
        answers = await asyncio.gather(client.get("/slow/1"), client.get("/slow/20"))
    assert [one.status_code for one in answers] == [200, 504]


async def quart_an_app_with_its_own_state():
    app = Quart(__name__)
    visits = []

    @app.get("/<name>")
    async def visit(name):
        await asyncio.sleep(random.uniform(0, 0.01))
        visits.append(name)
        return {"name": name}

    async with _client_of(app) as client:

        async def get(name):
            return (await client.get(f"/{name}")).json()["name"]

        assert list(await asyncio.gather(*map(get, "abc"))) == ["a", "b", "c"]
    assert sorted(visits) == ["a", "b", "c"]


PROGRAMS = [
    one
    for one in list(globals().values())
    if inspect.iscoroutinefunction(one) and one.__module__ == __name__
]
