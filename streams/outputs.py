"""What a worker writes to Kafka before the offset moves: classified posts and dead letters.

At least once.  Both carry `source-topic`, `source-partition` and `source-offset` of the raw record,
so a reader can drop repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import orjson

from streams.increments import Result
from streams.posts.output import document
from streams.reading import Reading, Record, source_of

_DETAIL_BYTES: Final = 512
_OWN_HEADERS: Final = frozenset(
    {"source-topic", "source-partition", "source-offset", "source-key", "source-keyless"}
)


class Producer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    async def send(
        self,
        topic: str,
        value: bytes | None = ...,
        key: bytes | None = ...,
        partition: int | None = ...,
        timestamp_ms: int | None = ...,
        headers: Sequence[tuple[str, bytes]] | None = ...,
    ) -> Any: ...

    async def partitions_for(self, topic: str) -> Any:
        """The topic's partitions, from the broker where the client does not know them."""


class KafkaOutputs:
    """Writes what one batch gives; returns when the brokers have it.  Raises `KafkaError`."""

    def __init__(
        self, producer: Producer, *, classified: str, dead: str, raw: str, author_key: bytes
    ) -> None:
        self._producer = producer
        self._classified = classified
        self._dead = dead
        self._raw = raw
        self._author_key = author_key

    async def write(self, reading: Reading, result: Result) -> None:
        sent = [
            await self._send_dead(letter.record, letter.reason, letter.detail)
            for letter in reading.dead
        ]
        for record, post, campaigns in result.counted:
            sent.append(
                await self._producer.send(
                    self._classified,
                    orjson.dumps(document(post, campaigns, self._author_key)),
                    key=post.uid.encode(),
                    headers=self._source(record),
                    timestamp_ms=record.timestamp,
                )
            )
        for future in sent:
            await future

    async def _send_dead(self, record: Record, reason: str, detail: str) -> Any:
        key = record.key
        for name, value in record.headers:
            if name == "source-key":  # forwarding replaced it by the uid
                key = value
            elif name == "source-keyless":
                key = None
        return await self._producer.send(
            self._dead,
            record.value,
            key=key,
            headers=[
                *((name, value) for name, value in record.headers if name not in _OWN_HEADERS),
                ("reason", reason.encode()),
                ("detail", detail.encode("utf-8", "replace")[:_DETAIL_BYTES]),
                *self._source(record),
            ],
            timestamp_ms=record.timestamp,
        )

    def _source(self, record: Record) -> Sequence[tuple[str, bytes]]:
        source = source_of(record)
        if source is not None:
            topic, partition, offset = self._raw, source[0], source[1]
        else:
            topic, partition, offset = record.topic, str(record.partition), record.offset
        return [
            ("source-topic", topic.encode()),
            ("source-partition", partition.encode()),
            ("source-offset", b"%d" % offset),
        ]
