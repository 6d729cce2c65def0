"""From the queue into Kafka: what becomes of records while Kafka fails, and what is stored when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.config import Settings
from streams.ingest.live.backoff import Backoff
from streams.ingest.live.cursors import CursorStore
from streams.ingest.live.deliver import KafkaSink, deliver
from streams.ingest.live.follow import follow
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.records import Recorder
from streams.ingest.live.run import IngestHealth, _producer
from streams.ingest.live.source import Cursor, Ended, Item
from streams.kafka import ensure_topics
from streams.producing import LastingProducer
from tests.ingest.live.fake_jetstream import events
from tests.ingest.live.harness import QUICK, metric, records
from tests.posts.samples_bluesky import TIME_US


class Shaky(LastingProducer):
    """Every ninth batch fails: before it is sent, or after it has arrived."""

    calls = 0

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        self.calls += 1
        if self.calls % 18 == 9:
            raise KafkaConnectionError("invented: not sent")
        sent = await super().send_batch(batch, topic, partition=partition)
        if self.calls % 18 == 0:
            await sent
            raise KafkaConnectionError("invented: sent, but nobody knows")
        return sent


@pytest.fixture
def settings(settings: Settings, unique: str) -> Settings:
    ingest = settings.ingest.model_copy(update={"cursors": f"{unique}.cursors"})
    return settings.model_copy(update={"ingest": ingest})


async def bring(
    settings: Settings, observer: IngestObserver, items: list[Item], producer: LastingProducer
) -> CursorStore:
    await ensure_topics(settings.kafka)
    await producer.start()
    cursors = CursorStore(settings, "invented")
    await cursors.ensure()
    sink = KafkaSink(settings, producer, cursors, Recorder("bluesky"), observer)
    queue: asyncio.Queue[Item] = asyncio.Queue(50)
    task = asyncio.create_task(deliver(queue, sink, observer))
    try:
        async with asyncio.timeout(60):
            for item in items:
                await queue.put(item)
            await queue.join()
            await sink.rest()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await producer.stop()
    return cursors


async def test_nothing_is_lost_while_kafka_fails(
    settings: Settings, observer: IngestObserver, unique: str
) -> None:
    lines = events(500)
    items = [Item(line, {"n": n}, TIME_US // 1000 + n) for n, line in enumerate(lines)]
    cursors = await bring(settings, observer, items, Shaky(partial(_producer, settings)))
    found = await records(settings)
    assert {record.value for record in found} == set(lines)
    assert metric("streams_ingest_produced_total", unique) == 500
    assert metric("streams_ingest_kafka_retries_total", unique) > 0
    assert await cursors.load() == ({"n": 499}, TIME_US // 1000 + 499)
    assert metric("streams_ingest_pending_seconds", unique) == 0
    age = time.time() - TIME_US / 1e6
    assert metric("streams_ingest_cursor_age_seconds", unique) == pytest.approx(age, abs=60)


async def test_a_heartbeat_moves_the_cursor_and_is_no_record(
    settings: Settings, observer: IngestObserver
) -> None:
    producer = LastingProducer(partial(_producer, settings))
    cursors = await bring(settings, observer, [Item(None, {"n": 7}, 5)], producer)
    assert await records(settings) == []
    assert await cursors.load() == ({"n": 7}, 5)


async def test_a_record_that_no_topic_takes_is_left_out_and_said(
    settings: Settings, observer: IngestObserver, unique: str
) -> None:
    large = b" " * settings.kafka.max_record_bytes
    lines = events(3)
    items = [Item(lines[0]), Item(large), Item(lines[1]), Item(lines[2])]
    await bring(settings, observer, items, LastingProducer(partial(_producer, settings)))
    assert {record.value for record in await records(settings)} == set(lines)
    assert metric("streams_ingest_skipped_total", unique, reason="too_large") == 1


async def test_a_slow_sink_slows_the_source_and_drops_nothing(observer: IngestObserver) -> None:
    lines = events(200)
    yielded: list[bytes] = []
    written: list[bytes] = []
    blocked, released = asyncio.Event(), asyncio.Event()

    class Fast:
        name, platform = "invented", None

        async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
            for line in lines:
                yielded.append(line)
                yield Item(line)
            raise Ended

    class Slow:
        async def write(self, items: Sequence[Item]) -> None:
            blocked.set()
            await released.wait()
            written.extend(item.value for item in items if item.value is not None)

        async def rest(self) -> None:
            """Nothing is kept."""

    queue: asyncio.Queue[Item] = asyncio.Queue(10)
    following = asyncio.create_task(follow(Fast(), None, queue, observer, Backoff(QUICK)))
    delivering = asyncio.create_task(deliver(queue, Slow(), observer))
    try:
        async with asyncio.timeout(60):
            await blocked.wait()
            for _ in range(1000):
                await asyncio.sleep(0)
            assert len(yielded) <= 22  # in the sink, in the queue, in hand
            assert observer.pending() > 0
            released.set()
            await following
            await queue.join()
    finally:
        delivering.cancel()
        await asyncio.wait({delivering})
    assert written == lines


async def test_ready_when_connected_and_kafka_takes_it(observer: IngestObserver) -> None:
    health = IngestHealth(observer)
    assert await health.reasons() == ["the source is not connected"]
    observer.connected(True)
    assert await health.reasons() == []
    observer.in_hand(time.monotonic() - 61)
    assert await health.reasons() == ["Kafka has not taken a record for 61 s"]


async def test_a_source_without_a_cursor_has_none(
    settings: Settings, observer: IngestObserver
) -> None:
    producer = LastingProducer(partial(_producer, settings))
    cursors = await bring(settings, observer, [Item(line) for line in events(3)], producer)
    assert await cursors.load() is None
