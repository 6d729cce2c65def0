"""Sources without Kafka, the process with it, and what is in the topic afterwards."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
from aiohttp import web
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from streams.config import Settings
from streams.embedded import Child, free_port, url_answers
from streams.ingest.live.backoff import Backoff, Range
from streams.ingest.live.follow import follow
from streams.ingest.live.metrics import REGISTRY, IngestObserver
from streams.ingest.live.source import KINDS, Cursor, Item, Source
from streams.kafka import client_options

QUICK = {kind: Range(0.001, 0.01) for kind in KINDS}
PATIENCE = 60.0


@asynccontextmanager
async def serving(*routes: web.AbstractRouteDef) -> AsyncIterator[str]:
    """A platform on this machine: `127.0.0.1:port`."""
    app = web.Application(client_max_size=1 << 24)
    app.add_routes(routes)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def collect(
    source: Source,
    observer: IngestObserver,
    enough: Callable[[list[Item]], bool],
    *,
    cursor: Cursor | None = None,
    pause: float = 0.0,
    queue: int = 10,
) -> list[Item]:
    """Follow the source until that is enough; `pause` (s) after each item is a slow reader."""
    waiting: asyncio.Queue[Item] = asyncio.Queue(queue)
    task = asyncio.create_task(follow(source, cursor, waiting, observer, Backoff(QUICK)))
    found: list[Item] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not enough(found):
                item = asyncio.create_task(waiting.get())
                await asyncio.wait({item, task}, return_when=asyncio.FIRST_COMPLETED)
                if not item.done():
                    item.cancel()
                    task.result()  # raises
                    break
                found.append(item.result())
                if pause:
                    await asyncio.sleep(pause)
    finally:
        task.cancel()
        await asyncio.wait({task})
    return found


def values(items: list[Item]) -> set[bytes]:
    return {item.value for item in items if item.value is not None}


def metric(name: str, source: str, **labels: str) -> float:
    """A sample of this process; 0 where there is none."""
    return REGISTRY.get_sample_value(name, {"source": source, **labels}) or 0.0


def environment(settings: Settings, unique: str, extra: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "STREAMS_KAFKA__BROKERS": ",".join(settings.kafka.brokers),
        "STREAMS_KAFKA__TOPICS__RAW": settings.kafka.topics.raw,
        "STREAMS_INGEST__CURSORS": f"{unique}.cursors",
        "STREAMS_INGEST__HOST": "127.0.0.1",
        **extra,
    }


class Ingest:
    """`streams ingest …` as a process; may be started again after it was killed."""

    def __init__(
        self, settings: Settings, unique: str, folder: Path, *args: str, **extra: str
    ) -> None:
        self.port = free_port()
        variables = {f"STREAMS_INGEST__{name}": value for name, value in extra.items()}
        variables["STREAMS_INGEST__PORT"] = str(self.port)
        self.child = Child(
            "ingest",
            [sys.executable, "-m", "streams", "ingest", *args],
            log=folder / "ingest.log",
            env=environment(settings, unique, variables),
        )

    async def start(self) -> None:
        self.child.start()
        await asyncio.to_thread(
            self.child.wait_ready, lambda: url_answers(f"http://127.0.0.1:{self.port}/readyz")
        )

    async def metrics(self, http: aiohttp.ClientSession) -> str:
        async with http.get(f"http://127.0.0.1:{self.port}/metrics") as response:
            return await response.text()

    async def kill(self) -> None:
        await asyncio.to_thread(self.child.kill)

    async def stop(self) -> int | None:
        return await asyncio.to_thread(self.child.stop)


async def records(settings: Settings, topic: str | None = None) -> list[ConsumerRecord]:
    """All that is in the raw topic now."""
    topic = topic or settings.kafka.topics.raw
    consumer = AIOKafkaConsumer(**client_options(settings.kafka), enable_auto_commit=False)
    await consumer.start()
    try:
        cluster = await consumer._client.fetch_all_metadata()
        places = [TopicPartition(topic, n) for n in cluster.partitions_for_topic(topic) or ()]
        consumer.assign(places)
        found: list[ConsumerRecord] = []
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, begins[place])
        while any([await consumer.position(place) < ends[place] for place in places]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def until_records(settings: Settings, n: int) -> list[ConsumerRecord]:
    """What is in the raw topic, once it has so many different values."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await records(settings)
            if len({record.value for record in found}) >= n:
                return found
            await asyncio.sleep(0.1)


async def stored_cursors(settings: Settings, unique: str) -> list[Cursor]:
    """All that were stored, in order."""
    found = await records(settings, f"{unique}.cursors")
    return [orjson.loads(record.value)["cursor"] for record in found]
