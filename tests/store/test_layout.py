"""The number of the layout: refused, moved, also under a worker that still writes the older one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from streams import keys
from streams.config import RedisSettings
from streams.exporter.exposition import Exposition
from streams.exporter.watch import Watch
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.commit import PartitionStore
from streams.store.layout import LayoutError, migrate, require, take
from streams.store.reads import Reader
from tests.filled import Filled

T = 1_508_100_000


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Any]:
    client = connect(RedisSettings(url=redis_url))
    yield client
    await client.aclose()


def fill(filled: Filled) -> None:
    for number in range(3):
        filled.partition(number, watermark=T, offset=10 + number)
        filled.outcome(number, "counted", 3)
        filled.campaign(number, T, 2)
    filled.redis.hset(filled.layout.campaigns, "metoo", "{}")


async def test_the_first_worker_writes_the_number(redis: Any, unique: str) -> None:
    layout = Layout(f"{unique}:")
    await require(redis, layout)  # none yet: nothing to refuse
    await take(redis, layout)
    assert int(await redis.get(layout.number)) == keys.LAYOUT_VERSION
    await take(redis, layout)
    await require(redis, layout)


async def test_an_older_program_refuses_a_newer_layout(
    redis: Any, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(filled)
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
    await take(redis, filled.layout)
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 1)
    store = PartitionStore(redis, filled.layout.partition("posts.raw", 0))
    reader = Reader(redis, filled.layout)
    for refused in (take(redis, filled.layout), store.load(), reader.outcomes()):
        with pytest.raises(LayoutError, match=r"layout 2 .*run the newer version"):
            await refused


async def test_a_newer_reader_waits_for_a_worker_of_its_version(
    redis: Any, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(redis, filled.layout)
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
    with pytest.raises(LayoutError, match="start a worker of this version"):
        await Reader(redis, filled.layout).outcomes()


async def test_a_newer_worker_moves_everything(
    redis: Any, filled: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(filled)
    await take(redis, filled.layout)
    before = await Reader(redis, filled.layout).totals()
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 3)  # two steps at once
    await take(redis, filled.layout)
    reader = Reader(redis, filled.layout)
    assert await reader.totals() == before
    assert await reader.campaign_info() == {"metoo": {}}
    left = [key async for key in redis.scan_iter(match=f"{filled.layout.prefix}[12]:*")]
    assert all(key.endswith(b"}:state") for key in left), "what keeps older workers out"


@pytest.mark.parametrize("crash_after", range(1, 15))
async def test_a_move_that_was_broken_off_is_gone_on_with(
    redis: Any, filled: Filled, monkeypatch: pytest.MonkeyPatch, crash_after: int
) -> None:
    fill(filled)
    before = await Reader(redis, filled.layout).totals()

    class Crash(Exception):
        pass

    calls = 0

    def one_more() -> None:
        nonlocal calls
        calls += 1
        if calls == crash_after:
            raise Crash

    class Dying:
        """A client that dies with its n-th write."""

        def __getattr__(self, name: str) -> Any:
            if name in ("restore", "unlink"):
                one_more()
            return getattr(redis, name)

        def register_script(self, text: str) -> Any:
            script = redis.register_script(text)

            def call(**arguments: Any) -> Any:
                one_more()
                return script(**arguments)

            return call

    with suppress(Crash):
        await migrate(Dying(), filled.layout, 1)
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
    await take(redis, filled.layout)
    assert await Reader(redis, filled.layout).totals() == before


async def test_an_older_exporter_says_so_and_keeps_what_it_read(
    redis: Any,
    filled: Filled,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fill(filled)
    watch = Watch(Reader(redis, filled.layout), Exposition())
    before = await watch.read()
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
    await take(redis, filled.layout)
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 1)
    reading = asyncio.create_task(watch.run(0.05))
    while watch.failed is None:  # noqa: ASYNC110 - a read that failed sets no event
        await asyncio.sleep(0.01)
    reading.cancel()
    assert "Redis holds layout 2" in watch.failed
    assert watch.snapshot is before
    assert not [entry for entry in caplog.records if entry.exc_info]
