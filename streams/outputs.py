"""What a worker writes to Kafka before the offset moves: classified posts and dead letters.

At least once.  Both carry `source-topic`, `source-partition` and `source-offset` of the raw record,
so a reader can drop repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from streams.increments import Result
from streams.posts.output import document
from streams.producing import Delivery, Producer
from streams.reading import DeadLetter, Place, Reading, Record, source_of

_DETAIL_BYTES: Final = 512
_OWN_HEADERS: Final = frozenset(
    {"source-topic", "source-partition", "source-offset", "source-key", "source-keyless"}
)


class KafkaOutputs:
    """Writes what one batch gives; returns when the brokers have it.  Raises `KafkaError`."""

    def __init__(self, producer: Producer, *, classified: str, dead: str, raw: str) -> None:
        self._producer = producer
        self._classified = classified
        self._dead = dead
        self._raw = raw

    async def write(self, place: Place, reading: Reading, result: Result) -> None:
        delivery = Delivery(self._producer)
        for letter in reading.dead:
            await self._add_dead(delivery, place, letter)
        for record, post, campaigns, author in result.counted:
            key = post.uid.encode()
            await delivery.add(
                self._classified,
                key,
                key=key,
                value=orjson.dumps(document(post, campaigns, author)),
                timestamp=record.timestamp,
                headers=self._source(place, record),
            )
        await delivery.acknowledged()

    async def _add_dead(self, delivery: Delivery, place: Place, letter: DeadLetter) -> None:
        record = letter.record
        key = record.key
        for name, value in record.headers:
            if name == "source-key":  # forwarding replaced it by the uid
                key = value
            elif name == "source-keyless":
                key = None
        await delivery.add(
            self._dead,
            b"%d:%d" % (place.partition, record.offset) if key is None else key,
            key=key,
            value=record.value,
            timestamp=record.timestamp,
            headers=[
                *((name, value) for name, value in record.headers if name not in _OWN_HEADERS),
                ("reason", letter.reason.encode()),
                ("detail", letter.detail.encode("utf-8", "replace")[:_DETAIL_BYTES]),
                *self._source(place, record),
            ],
        )

    def _source(self, place: Place, record: Record) -> Sequence[tuple[str, bytes]]:
        source = source_of(record)
        if source is not None:
            topic, partition, offset = self._raw, source[0], source[1]
        else:
            topic, partition, offset = place.topic, str(place.partition), record.offset
        return [
            ("source-topic", topic.encode()),
            ("source-partition", partition.encode()),
            ("source-offset", b"%d" % offset),
        ]
