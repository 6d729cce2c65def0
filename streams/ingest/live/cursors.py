"""How far each source has been read: a compacted topic beside the data.

A record's key is `RAW TOPIC/SOURCE`, its value `{"cursor": ..., "at": ms}`: `at` is the time of the
newest record at that place.  It is written after the records before it are acknowledged, so it is
never ahead of them: whoever starts there reads some records twice, and none is left out.
"""

from __future__ import annotations

from typing import Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from streams.config import Settings
from streams.ingest.live.source import Cursor
from streams.kafka import client_options, ensure_topics
from streams.producing import Delivery, Producer

_POLL_MS: Final = 500


class CursorStore:
    """One source's cursor in the topic `ingest.cursors`."""

    def __init__(self, settings: Settings, source: str) -> None:
        self._kafka = settings.kafka
        self._topic = settings.ingest.cursors
        self._key = f"{settings.kafka.topics.raw}/{source}".encode()

    async def ensure(self) -> None:
        """Make the topic where it is missing.  Raises `UserError`."""
        topic = NewTopic(
            name=self._topic,
            num_partitions=1,
            replication_factor=self._kafka.replication,
            topic_configs={"cleanup.policy": "compact"},
        )
        await ensure_topics(self._kafka, [topic])

    async def load(self) -> tuple[Cursor, int] | None:
        """The stored cursor and its `at`; None where there is none.  Raises `KafkaError`."""
        place = TopicPartition(self._topic, 0)
        consumer = AIOKafkaConsumer(**client_options(self._kafka), enable_auto_commit=False)
        found: bytes | None = None
        await consumer.start()
        try:
            consumer.assign([place])
            end = (await consumer.end_offsets([place]))[place]
            consumer.seek(place, (await consumer.beginning_offsets([place]))[place])
            while await consumer.position(place) < end:
                fetched = await consumer.getmany(place, timeout_ms=_POLL_MS)
                for record in fetched.get(place, ()):
                    if record.key == self._key:
                        found = record.value
        finally:
            await consumer.stop()
        if found is None:
            return None
        document: dict[str, Any] = orjson.loads(found)
        return document["cursor"], document["at"]

    async def save(self, producer: Producer, cursor: Cursor, at: int, now: int) -> None:
        """Return when the brokers have it.  `at` and `now` in ms.  Raises `KafkaError`."""
        delivery = Delivery(producer)
        value = orjson.dumps({"cursor": cursor, "at": at})
        await delivery.add(
            self._topic, self._key, key=self._key, value=value, timestamp=now, headers=[]
        )
        await delivery.acknowledged()
