"""Where forwarded records go, on a real Kafka."""

from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faust.types import TP

from streams.config import KafkaSettings, Settings
from streams.consuming import Batch
from streams.forward import Forwarder
from streams.kafka import client_options, ensure_topics
from streams.murmur2 import partition_of
from streams.producing import LastingProducer
from tests.protocol.fakes import FakeRecord, post


class Log:
    """A raw partition that is read from its beginning."""

    async def seek(self, offset: int | None) -> tuple[int, int]:
        return 1, offset or 0

    async def given(self) -> int | None:
        return None

    async def committed(self) -> int | None:
        return None


async def test_a_client_that_knows_only_other_topics_asks_first(settings: Settings) -> None:
    """A worker that publishes before it forwards: its client has forgotten all topics but those it
    has sent to, and the first record once went to partition 0, whoever's it was."""
    kafka = settings.kafka
    await ensure_topics(kafka)
    client = AIOKafkaProducer(**client_options(kafka))
    producer = LastingProducer(lambda: client)
    await producer.start()
    try:
        await client.send_and_wait(kafka.topics.classified, b"{}")
        await client.client.force_metadata_update()
        assert client.client.cluster.partitions_for_topic(kafka.topics.keyed) is None
        forwarder = Forwarder(
            partition=0,
            log=Log(),
            producer=producer,
            topic=kafka.topics.keyed,
            waiting=lambda _: None,
        )
        records = [FakeRecord(n, 1, None, post(n)) for n in range(8)]
        await forwarder.check()
        await forwarder.deliver(Batch(TP(kafka.topics.raw, 0), 1, 0, 8, records))
    finally:
        await producer.stop()
    uids = [f"x:{orjson.loads(record.value or b'')['data']['id']}".encode() for record in records]
    wanted = {uid: partition_of(uid, kafka.partitions) for uid in uids}
    assert wanted[uids[0]] != 0
    assert await _places(kafka) == wanted


async def _places(kafka: KafkaSettings) -> dict[bytes, int]:
    """Partitions of the keyed topic's records, by key."""
    consumer = AIOKafkaConsumer(
        kafka.topics.keyed, **client_options(kafka), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places: dict[bytes, int] = {}
        async with asyncio.timeout(30):
            while len(places) < 8:
                for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                    places.update({record.key: tp.partition for record in records})
        return places
    finally:
        await consumer.stop()
