"""Records of one delivery into Kafka, in batches that are built here.

aiokafka's `send` costs a future and a pass through its accumulator for each record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaError

from streams.murmur2 import partition_of
from streams.shared_batches import Headers, Place, SharedBatches

_STOP_SECONDS: Final = 2.0  # for batches that another delivery waits for
_ASK_SECONDS: Final = 10.0  # aiokafka asks for 40 s, also where it was stopped meanwhile
_UNANSWERED: Final = 4  # then another connection is tried; whoever asks has a patience of its own


class Producer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    @property
    def shared(self) -> SharedBatches: ...
    async def partitions_for(self, topic: str) -> Collection[int]:
        """The topic's partitions, from the broker where the client does not know them."""


class LastingProducer:
    """An idempotent producer that outlives what it cannot get over.

    After a batch that the broker refuses for good (a record that is too large, say) the sequence
    numbers of aiokafka's producer have a gap, and every later batch of that partition is refused,
    too, for ever.  So a producer that was refused something is replaced before the next batch.
    Nothing behind the refused batch was written (that is what the numbers are for): a partition
    that is written again from there is in order.

    The same where it is not told of topics: aiokafka asks again and again on the same connection,
    and one that is half-open (nothing passes, and nobody is told) it never closes.
    """

    def __init__(self, make: Callable[[], AIOKafkaProducer]) -> None:
        self._make = make
        self._producer = make()
        self._refused: AIOKafkaProducer | None = None
        self._unanswered = 0  # questions for topics, since the last answer
        self._pending: set[asyncio.Future[object]] = set()  # batches of the present producer
        self._lock = asyncio.Lock()
        self.shared = SharedBatches(self)

    async def start(self) -> None:
        """Raises `KafkaError` where no broker answers."""
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def topics(self) -> set[str]:
        """All topics, from a broker.  Raises `KafkaError`."""
        producer = await self._usable()
        self._unanswered += 1
        if self._unanswered >= _UNANSWERED:
            self._refused = producer
        metadata = await producer.client.fetch_all_metadata()
        self._unanswered = 0
        return set(metadata.topics())

    def create_batch(self) -> Any:
        return self._producer.create_batch()

    async def partitions_for(self, topic: str) -> Collection[int]:
        producer = await self._usable()
        try:
            found: Collection[int] = await asyncio.wait_for(
                producer.partitions_for(topic), _ASK_SECONDS
            )
        except (KafkaError, TimeoutError):
            self._refused = producer
            raise
        return found

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]:
        producer = await self._usable()
        sent: asyncio.Future[object] = await producer.send_batch(batch, topic, partition=partition)
        sent.add_done_callback(partial(self._note, producer))
        if producer is not self._producer:  # it was given up meanwhile
            _fail(sent)
            return sent
        self._pending.add(sent)
        sent.add_done_callback(self._pending.discard)
        return sent

    def _note(self, producer: AIOKafkaProducer, sent: asyncio.Future[object]) -> None:
        if not sent.cancelled():
            error = sent.exception()  # heard: whoever waits for an earlier batch will not ask
            if isinstance(error, KafkaError) and not error.retriable:
                self._refused = producer

    async def _usable(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._refused is self._producer:
                fresh = self._make()
                try:
                    await fresh.start()
                except BaseException:
                    await fresh.stop()
                    raise
                old, self._producer, self._refused = self._producer, fresh, None
                pending, self._pending = self._pending, set()
                self._unanswered = 0
                await _end(old)
                for sent in pending:
                    _fail(sent)
            return self._producer


def _fail(sent: asyncio.Future[object]) -> None:
    """Whoever waits for a batch that nobody sends any more would wait for ever."""
    if not sent.done():
        sent.set_exception(KafkaConnectionError("the producer was given up"))


async def _end(producer: AIOKafkaProducer) -> None:
    """aiokafka's `stop` waits until brokers have every batch, and where it is not let, its sender
    goes on behind everybody's back, on connections that nobody closes."""
    with suppress(KafkaError, OSError):
        try:
            await asyncio.wait_for(producer.stop(), _STOP_SECONDS)
        except TimeoutError:
            sender = producer._sender.sender_task
            sender.cancel()
            await producer.client.close()
            await asyncio.wait({sender}, timeout=_STOP_SECONDS)


class Delivery:
    """What one delivery writes; `acknowledged` waits for the brokers.  Raises `KafkaError`."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._shared = producer.shared
        self._partitions: dict[str, int] = {}
        self._places: set[Place] = set()
        self._written: set[asyncio.Future[None]] = set()

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
        self._places.add(place)
        self._written.add(
            self._shared.add(place, key=key, value=value, timestamp=timestamp, headers=headers)
        )

    async def acknowledged(self) -> None:
        """Send what was added; return when the brokers have everything."""
        for place in self._places:
            self._shared.send(place)
        if self._written:
            await asyncio.wait(self._written)
        for written in self._written:
            written.result()
