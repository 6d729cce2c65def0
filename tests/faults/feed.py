"""Posts for a fault run: a simulated day, redelivered posts and poison, in an order of the seed."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any, Final, NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer

from streams.config import KafkaSettings
from streams.ingest.eventtime import Timestamps
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options
from streams.murmur2 import partition_of

T = TypeVar("T")

POISON_RATE: Final = 0.05
REDELIVERY_RATE: Final = 0.03
_REMEMBERED: Final = 20_000  # lines that may come again: within a batch, and hours later
_SLICE: Final = 200  # records between two looks at the clock
#: Every bad input that the decoders know; None is a tombstone.
POISON: Final[tuple[bytes | None, ...]] = (
    None,
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b"[" * 20_000,
    b'{"a":' * 20_000,
    b"\xff\xfe\x00",
    b"\x1f\x8b\x08\x00",
    b"<html>503</html>",
    b'{"data":{"id":"1","text":"\\ud800","author_id":"1","created_at":"2017-10-15T10:00:00Z"}}',
    b'{"data":{"id":1.5,"text":{},"author_id":[],"created_at":12}}',
    b'{"data":{"id":"1","text":"a","author_id":"1","created_at":"1970-01-01T00:00:00Z"}}',
    b'{"data":{"id":"1","text":"a","author_id":"1","created_at":"9999-12-31T23:59:59Z"}}',
    b"x" * 200_000,
)


class Item(NamedTuple):
    """A record to send; `key` is the uid where it has one."""

    stamp: int
    key: bytes | None
    value: bytes | None


class Feed:
    """Sends the day in portions, in a thread of its own; `fed` is how many records Kafka has."""

    def __init__(
        self, kafka: KafkaSettings, *, posts: int, seed: int, keyed: bool, bootstrap: str
    ) -> None:
        self.fed = 0
        self.extra = 0  # records beside the simulated ones
        self._day = simulate(load_scenario("metoo-day"), posts=posts, seed=seed)
        self._items = self._make(random.Random(f"feed {seed}"))
        self._keyed = keyed
        self._where = random.Random(f"where {seed}")
        self._kafka = kafka
        self._options = {**client_options(kafka), "bootstrap_servers": bootstrap}
        self._producer: AIOKafkaProducer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._work: Any = None

    @property
    def truth(self) -> dict[str, Any]:
        """What the simulation meant to write, once all of it was sent."""
        return self._day.truth.document()

    def authors(self, campaign: str) -> int:
        return self._day.truth.authors(campaign)

    def __enter__(self) -> Feed:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        if self._producer is not None:
            self._call(self._producer.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def begin(self, records: int | None, seconds: float) -> None:
        """Send so many more (None: all that is left) over so many seconds; returns at once."""
        work = self._send(records, seconds)
        self._work = asyncio.run_coroutine_threadsafe(work, self._loop)

    def finish(self) -> None:
        """Wait for what `begin` began.  Raises what Kafka refuses."""
        if self._work is not None:
            self._work.result(300)
            self._work = None

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    async def _start(self) -> None:
        self._producer = AIOKafkaProducer(
            **self._options,
            enable_idempotence=True,
            request_timeout_ms=180_000,  # a broker may be away for as long as a fault lasts
            linger_ms=5,
            max_batch_size=2**18,
            max_request_size=2**21,
        )
        await self._producer.start()

    async def _send(self, records: int | None, seconds: float) -> None:
        assert self._producer is not None
        pause = 0.0 if not records else seconds * _SLICE / records
        sent: list[Any] = []
        began, slices = time.monotonic(), 0
        topic, partitions = self._kafka.topics.raw, self._kafka.partitions
        for item in self._items:
            by = item.key if item.key is not None else b"%d" % self._where.getrandbits(32)
            # `any`: any partition, whatever the uid; a redelivered post comes by another way.
            where = partition_of(by, partitions)
            if not self._keyed:
                where = self._where.randrange(partitions)
            keyless = not self._keyed and self._where.random() < 0.5
            key = None if keyless and item.value is not None else by  # Kafka wants one of both
            future = await self._producer.send(
                topic, item.value, key=key, partition=where, timestamp_ms=item.stamp
            )
            future.add_done_callback(self._acknowledged)
            sent.append(future)
            if len(sent) % _SLICE == 0:
                slices += 1
                await asyncio.sleep(max(0.0, began + slices * pause - time.monotonic()))
            if records is not None and len(sent) >= records:
                break
        for future in sent:
            await future
        await asyncio.sleep(0)  # what is done when one of them is: `_acknowledged`

    def _acknowledged(self, sent: asyncio.Future[Any]) -> None:
        if not sent.cancelled() and sent.exception() is None:
            self.fed += 1

    def _make(self, dice: random.Random) -> Iterator[Item]:
        stamps = Timestamps()
        memory: list[Item] = []
        for line in self._day:
            for item in (Item(*found) for found in stamps.next(line.rstrip(b"\r\n"))):
                yield item
                if item.key is not None:
                    if len(memory) < _REMEMBERED:
                        memory.append(item)
                    else:
                        memory[dice.randrange(_REMEMBERED)] = item
                if memory and dice.random() < REDELIVERY_RATE:
                    recent = dice.random() < 0.5
                    again = memory[-1] if recent else memory[dice.randrange(len(memory))]
                    self.extra += 1
                    yield again._replace(stamp=item.stamp)
                if dice.random() < POISON_RATE:
                    self.extra += 1
                    yield Item(item.stamp, None, dice.choice(POISON))
        for found in stamps.rest():
            yield Item(*found)
