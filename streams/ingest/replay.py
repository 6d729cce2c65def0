"""NDJSON into Kafka: keyed by uid, at event time.

A record's timestamp is the post's `created_at` where that is plausible (not before X's first post,
not in the future), else that of the record before: so a replayed day looks to the workers as it did
when it was live, and a post from the year 9999 is a dead letter as it would have been.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.config import Settings
from streams.errors import UserError
from streams.ingest.eventtime import Pace, Timestamps
from streams.ingest.sending import PRODUCER, Producer, ReplayStats, Sender
from streams.kafka import client_options, unreachable

__all__ = ["PRODUCER", "ReplayStats", "replay", "replay_producer", "replay_stream"]

_SLICE: Final = 250  # records between two turns of the event loop, about 5 ms


async def replay(
    lines: Iterable[bytes] | AsyncIterable[bytes],
    producer: Producer,
    topic: str,
    *,
    speed: float | None = None,
    keyed: bool = True,
    on_progress: Callable[[ReplayStats], None] | None = None,
) -> ReplayStats:
    """Send every line that is not empty, less its line end; return when Kafka has them all.

    `speed` is a multiple of event time (60: an hour a minute; None: as fast as it goes), and
    `on_progress` is called about ten times a second.  Without `keyed`, records have no key and take
    turns on the partitions.  Raises `KafkaError` where Kafka does not take a record.
    """
    sender = Sender(producer, topic, len(list(await producer.partitions_for(topic))))
    pace = Pace(speed)
    stats = sender.stats
    started = reported = time.monotonic()
    stamps = Timestamps()
    async for raw in _each(lines):
        stats.read += 1
        line = raw.rstrip(b"\r\n")
        if not line:
            stats.blank += 1
            continue
        for stamp, key, value in stamps.next(line):
            if pace.due(stamp) > 0:
                await sender.flush()
                while (wait := pace.due(stamp)) > 0:
                    await asyncio.sleep(min(wait, 0.1))
                    _report(stats, started, on_progress)
            await sender.add(stamp, key if keyed else None, value)
            if key is None:
                stats.unkeyed += 1
            if stats.event_time is None or stamp > stats.event_time:
                stats.event_time = stamp
        if stats.read % _SLICE == 0:
            await asyncio.sleep(0)
            if time.monotonic() - reported > 0.1:
                reported = time.monotonic()
                _report(stats, started, on_progress)
    for stamp, key, value in stamps.rest():
        await sender.add(stamp, key if keyed else None, value)
        stats.unkeyed += key is None
    await sender.finish()
    _report(stats, started, on_progress)
    return stats


def _report(
    stats: ReplayStats, started: float, on_progress: Callable[[ReplayStats], None] | None
) -> None:
    stats.seconds = time.monotonic() - started
    if on_progress is not None:
        on_progress(stats)


async def _each(lines: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(lines, AsyncIterable):
        async for line in lines:
            yield line
    else:
        for line in lines:
            yield line


@asynccontextmanager
async def replay_producer(settings: Settings, topic: str) -> AsyncIterator[Producer]:
    """A producer for `replay`.  Raises `UserError` where Kafka or the topic is not there."""
    options = {**client_options(settings.kafka), **PRODUCER}
    options["max_request_size"] = max(
        PRODUCER["max_request_size"], settings.kafka.max_record_bytes + 65_536
    )
    producer = AIOKafkaProducer(**options)
    try:
        try:
            await producer.start()
            if topic not in (await producer.client.fetch_all_metadata()).topics():
                raise UserError(
                    f"Kafka has no topic {topic}: create it, or run `streams check --create-topics`"
                )
            yield cast("Producer", producer)
        finally:
            await producer.stop()
    except (KafkaError, OSError, TimeoutError) as error:
        raise unreachable(settings.kafka, error) from error


async def replay_stream(
    settings: Settings,
    lines: AsyncIterable[bytes],
    *,
    speed: float | None = None,
    keyed: bool = True,
    on_progress: Callable[[int], None] | None = None,
) -> ReplayStats:
    """Lines (an `asyncio.StreamReader`, say) into the raw topic; progress is in records sent."""

    def tell(stats: ReplayStats) -> None:
        if on_progress is not None:
            on_progress(stats.sent)

    topic = settings.kafka.topics.raw
    async with replay_producer(settings, topic) as producer:
        return await replay(lines, producer, topic, speed=speed, keyed=keyed, on_progress=tell)
