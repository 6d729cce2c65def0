"""Topics of a benchmark: made, filled once for all systems, and removed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from streams.config import KafkaSettings
from streams.ingest.sending import PRODUCER, Producer, Sender
from streams.kafka import client_options, ensure_topics
from tests.benchmarks.firehose import Firehose, Line


class Topic(NamedTuple):
    """A filled topic, and the counts that it must lead to."""

    name: str
    partitions: int
    posts: int
    bytes: int  # of the values
    truth: dict[str, Any]


async def fill(kafka: KafkaSettings, firehose: Firehose) -> Topic:
    """Create the raw topic of these settings (and the others) and send it everything, keyed."""
    await ensure_topics(kafka)
    async with producer(kafka) as to:
        sender = await send(to, kafka, firehose)
    return Topic(
        kafka.topics.raw,
        kafka.partitions,
        sender.stats.sent,
        sender.stats.bytes,
        firehose.document(),
    )


@asynccontextmanager
async def hidden(kafka: KafkaSettings, lines: Sequence[Line]) -> AsyncIterator[None]:
    """Records that become readable all at once when the block ends: they are one transaction.

    So several workers can be started and share out the partitions before there is work.
    """
    async with producer(kafka, transactional_id=kafka.topics.raw) as to, to.transaction():
        await send(to, kafka, lines)
        yield


@asynccontextmanager
async def producer(kafka: KafkaSettings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A producer of lz4 batches as large as a busy platform's."""
    made = AIOKafkaProducer(
        **client_options(kafka),
        **{
            **PRODUCER,
            "compression_type": "lz4",
            "transaction_timeout_ms": 600_000,
            **options,
        },
    )
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def send(to: AIOKafkaProducer, kafka: KafkaSettings, lines: Iterable[Line]) -> Sender:
    """All lines into the raw topic, at their stamps; returns when Kafka has them."""
    sender = Sender(cast("Producer", to), kafka.topics.raw, kafka.partitions)
    for stamp, key, value in lines:
        await sender.add(stamp, key, value)
    await sender.finish()
    return sender


async def remove(kafka: KafkaSettings, topics: Iterable[str]) -> None:
    """Delete topics, so that a long benchmark does not fill the disk."""
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    try:
        await admin.delete_topics(list(topics))
    finally:
        await admin.close()
