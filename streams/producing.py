"""Records of one delivery into Kafka, in batches that are built here.

aiokafka's `send` costs a future and a pass through its accumulator for each record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Sequence
from typing import Any, Protocol

from streams.murmur2 import partition_of

Headers = Sequence[tuple[str, bytes]]


class Producer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    def create_batch(self) -> Any: ...
    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...
    async def partitions_for(self, topic: str) -> Collection[int]:
        """The topic's partitions, from the broker where the client does not know them."""


class Delivery:
    """What one delivery writes; `acknowledged` waits for the brokers.  Raises `KafkaError`."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._partitions: dict[str, int] = {}
        self._open: dict[tuple[str, int], Any] = {}
        self._sent: list[Awaitable[object]] = []

    async def add(
        self,
        topic: str,
        by: bytes,
        *,
        key: bytes | None,
        value: bytes | None,
        timestamp: int,
        headers: Headers,
    ) -> None:
        """A record, in the partition where Kafka's default partitioner puts the key `by`."""
        partitions = self._partitions.get(topic)
        if partitions is None:
            # Asked, not taken from what the client happens to know: it forgets topics that it has
            # not sent to yet, and a record in the wrong partition is a post that counts twice.
            partitions = len(await self._producer.partitions_for(topic))
            self._partitions[topic] = partitions
        place = (topic, partition_of(by, partitions))
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        record = {"timestamp": timestamp, "key": key, "value": value, "headers": headers}
        if batch.append(**record) is None:  # it is full
            await self._send(place)
            batch = self._open[place] = self._producer.create_batch()
            batch.append(**record)  # the first one always fits

    async def acknowledged(self) -> None:
        """Send what is open; return when the brokers have everything."""
        for place in list(self._open):
            await self._send(place)
        for sent in self._sent:
            await sent

    async def _send(self, place: tuple[str, int]) -> None:
        topic, partition = place
        batch = self._open.pop(place)
        self._sent.append(await self._producer.send_batch(batch, topic, partition=partition))
