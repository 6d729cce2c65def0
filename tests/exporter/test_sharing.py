from __future__ import annotations

import asyncio
from typing import cast

import pytest

from streams.exporter.feed import Feed
from streams.exporter.problems import Problem
from streams.exporter.sharing import Shared
from streams.store.events import EventStore, Written


async def test_many_who_ask_at_once_cost_one_answer() -> None:
    shared, made = Shared(), 0
    go = asyncio.Event()

    async def make() -> bytes:
        nonlocal made
        made += 1
        await go.wait()
        return b"answer"

    asking = [asyncio.ensure_future(shared.get("key", make)) for _ in range(50)]
    other = asyncio.ensure_future(shared.get("other", make))
    await asyncio.sleep(0)
    asking[0].cancel()  # who hangs up takes nothing from the others
    go.set()
    assert set(await asyncio.gather(*asking[1:])) == {b"answer"}
    assert await other == b"answer"
    assert made == 2


async def test_an_answer_is_made_anew_a_moment_later(monkeypatch: pytest.MonkeyPatch) -> None:
    shared, now = Shared(), 100.0
    monkeypatch.setattr("streams.exporter.sharing.time.monotonic", lambda: now)

    async def make() -> bytes:
        return str(now).encode()

    assert await shared.get("key", make) == b"100.0"
    now = 100.2
    assert await shared.get("key", make) == b"100.0"
    now = 100.4
    assert await shared.get("key", make) == b"100.4"


async def test_an_error_is_everybodys() -> None:
    async def fail() -> bytes:
        raise Problem(404, "nothing")

    shared = Shared()
    found = await asyncio.gather(
        *(shared.get("key", fail) for _ in range(3)), return_exceptions=True
    )
    assert [type(error) for error in found] == [Problem] * 3


async def test_it_forgets_what_nobody_asks_for() -> None:
    shared = Shared()

    async def make() -> bytes:
        return b""

    for number in range(1_000):
        await shared.get(number, make)
    assert len(shared._answers) == 256


async def test_a_crowd_that_comes_back_does_not_use_up_redis() -> None:
    at_once = most = 0

    class Store:
        async def after(self, cursor: str, count: int) -> list[Written]:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.001)
            at_once -= 1
            return [Written("1-1", {})]

    feed = Feed(cast("EventStore", Store()))
    found = await asyncio.gather(*(anext(feed.listen("0-0")) for _ in range(200)))
    assert len(found) == 200
    assert most <= 8
