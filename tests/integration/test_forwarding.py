"""Where forwarded records go, on a real Kafka."""

from __future__ import annotations

import orjson
from aiokafka import AIOKafkaProducer

from streams.config import Settings
from streams.forward import Forwarder
from streams.kafka import client_options, ensure_topics
from streams.murmur2 import partition_of
from streams.transport import Batch
from tests.protocol.fakes import FakeRecord, post


class Log:
    """A raw partition that is read from its beginning."""

    async def seek(self, offset: int | None) -> tuple[int, int]:
        return 1, offset or 0

    async def committed(self) -> int | None:
        return None


async def test_a_client_that_knows_only_other_topics_asks_first(settings: Settings) -> None:
    """A worker that publishes before it forwards: its client has forgotten all topics but those it
    has sent to, and the first record once went to partition 0, whoever's it was."""
    kafka = settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka))
    await producer.start()
    try:
        await producer.send_and_wait(kafka.topics.classified, b"{}")
        await producer.client.force_metadata_update()
        assert producer.client.cluster.partitions_for_topic(kafka.topics.keyed) is None
        sent: list[int | None] = []
        send = producer.send

        async def noting(topic: str, *args: object, **options: object) -> object:
            sent.append(options["partition"])  # type: ignore[arg-type]
            return await send(topic, *args, **options)  # type: ignore[arg-type]

        producer.send = noting
        forwarder = Forwarder(
            log=Log(), producer=producer, topic=kafka.topics.keyed, waiting=lambda _: None
        )
        records = [FakeRecord(n, 1, None, post(n), topic=kafka.topics.raw) for n in range(8)]
        await forwarder.check()
        await forwarder.deliver(Batch(1, 0, 8, records))  # type: ignore[arg-type]
    finally:
        await producer.stop()
    uids = [f"x:{orjson.loads(record.value or b'')['data']['id']}" for record in records]
    wanted = [partition_of(uid.encode(), kafka.partitions) for uid in uids]
    assert sent == wanted
    assert wanted[0] != 0
