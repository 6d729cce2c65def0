"""From the queue into Kafka (or onto standard output), and the cursor after it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from aiokafka.errors import KafkaError

from streams.config import Settings
from streams.ingest.live.backoff import Backoff, Range
from streams.ingest.live.cursors import CursorStore
from streams.ingest.live.metrics import IngestObserver
from streams.ingest.live.records import Record, Recorder
from streams.ingest.live.source import Cursor, Item
from streams.producing import Delivery, LastingProducer

_LINGER: Final = 0.05  # s: what comes together is sent together
_CURSOR_SECONDS: Final = 1.0  # between two cursors
_KAFKA: Final = Range(0.1, 5.0)
_OVERHEAD: Final = 4096  # bytes of a record beside its value: key, headers, framing


class Sink(Protocol):
    """Where items go."""

    async def write(self, items: Sequence[Item]) -> None:
        """Return when they are safe there, however long it takes."""

    async def rest(self) -> None:
        """Nothing came for a while, or nothing will come: store what is not stored."""


async def deliver(queue: asyncio.Queue[Item], sink: Sink, observer: IngestObserver) -> None:
    """Until cancelled: bring what is in the queue into the sink, in order.

    `queue.join()` returns when everything is there.
    """
    while True:
        try:
            async with asyncio.timeout(_CURSOR_SECONDS):
                items = [await queue.get()]
        except TimeoutError:  # a quiet stream: its last cursor, too, is stored
            await sink.rest()
            continue
        observer.in_hand(time.monotonic())
        await asyncio.sleep(_LINGER)
        while not queue.empty():
            items.append(queue.get_nowait())
        await sink.write(items)
        observer.in_hand(None)
        for item in items:
            if item.delivered is not None and not item.delivered.done():
                item.delivered.set_result(None)
            queue.task_done()


class StdoutSink:
    """Values as lines.  Raises `BrokenPipeError` where nobody reads them any more."""

    def __init__(self, observer: IngestObserver) -> None:
        self._observer = observer

    async def write(self, items: Sequence[Item]) -> None:
        lines = [item.value for item in items if item.value is not None]
        await asyncio.to_thread(self._write, lines)
        self._observer.produced(len(lines))

    async def rest(self) -> None:
        """Nothing is kept."""

    @staticmethod
    def _write(lines: Sequence[bytes]) -> None:
        sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
        sys.stdout.buffer.flush()


class KafkaSink:
    """The raw topic, and after it the cursor.  Tries again for as long as Kafka does not take it:
    the queue fills meanwhile, and the source waits."""

    def __init__(
        self,
        settings: Settings,
        producer: LastingProducer,
        cursors: CursorStore,
        recorder: Recorder,
        observer: IngestObserver,
    ) -> None:
        self._topic = settings.kafka.topics.raw
        self._largest = settings.kafka.max_record_bytes - _OVERHEAD
        self._producer = producer
        self._cursors = cursors
        self._recorder = recorder
        self._observer = observer
        self._cursor: tuple[Cursor, int] | None = None  # that of what is acknowledged
        self._due = 0.0

    async def write(self, items: Sequence[Item]) -> None:
        records = [
            self._recorder.record(item.value, item.at)
            for item in items
            if item.value is not None and self._fits(item.value)
        ]
        if records:
            await self._insist(lambda: self._send(records))
            self._observer.produced(len(records))
        newest = records[-1].timestamp if records else time.time_ns() // 1_000_000
        for item in items:
            if item.cursor is not None:
                self._cursor = (item.cursor, newest if item.at is None else item.at)
        if time.monotonic() >= self._due:
            await self.rest()

    async def rest(self) -> None:
        """Store the cursor of what was written, if it is not stored."""
        if self._cursor is None:
            return
        cursor, at = self._cursor
        now = time.time_ns() // 1_000_000
        await self._insist(lambda: self._cursors.save(self._producer, cursor, at, now))
        self._observer.stored(at)
        self._cursor = None
        self._due = time.monotonic() + _CURSOR_SECONDS

    async def _send(self, records: Sequence[Record]) -> None:
        delivery = Delivery(self._producer)
        for record in records:
            await delivery.add(
                self._topic,
                record.by,
                key=record.key,
                value=record.value,
                timestamp=record.timestamp,
                headers=list(record.headers),  # no tuple, for aiokafka
            )
        await delivery.acknowledged()

    async def _insist(self, call: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff({"network": _KAFKA})
        while True:
            try:
                return await call()
            except (KafkaError, OSError, TimeoutError) as error:
                self._observer.kafka_failed(str(error) or type(error).__name__)
                await asyncio.sleep(backoff.wait("network"))

    def _fits(self, value: bytes) -> bool:
        if len(value) <= self._largest:
            return True
        self._observer.skipped(
            "too_large", f"{len(value)} bytes are more than kafka.max_record_bytes takes"
        )
        return False
