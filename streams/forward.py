"""`kafka.input = "any"`: from `posts.raw`, keyed by anything, to `posts.keyed`, keyed by uid.

At least once, and in order: after any failure a partition starts again at its committed offset.
Each forwarded record says where it comes from (`source-partition`, `source-offset`), and the
records of one raw partition reach a keyed one in the order of their offsets.  So the counting side
can tell a repeat of the forwarding (at or below the highest source offset that it has seen) from a
redelivered post.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from aiokafka.errors import KafkaError

from streams.ports import Batch, Wait
from streams.posts import uid_of
from streams.producing import Delivery, Producer
from streams.reading import Record, platform_of

_BACKOFF: Final = 0.5  # seconds


class RawLog(Protocol):
    """The raw partition's log."""

    async def seek(self, offset: int | None) -> tuple[int, int]: ...
    async def given(self) -> int | None: ...
    async def committed(self) -> int | None:
        """Next offset to forward, None where nothing was forwarded yet."""


def keyed_by(record: Record, partition: int) -> tuple[bytes, bool]:
    """What decides a raw record's partition: its uid, or where it stands if it has none.

    Returns the bytes to hash and whether they become the record's key.
    """
    uid = uid_of(record.value, platform_of(record))
    if uid is not None:
        return uid.encode(), True
    return f"{partition}:{record.offset}".encode(), False


class Forwarder:
    """One assigned partition of `posts.raw`."""

    def __init__(
        self,
        *,
        partition: int,
        log: RawLog,
        producer: Producer,
        topic: str,
        waiting: Callable[[str], None],
    ) -> None:
        self.forwarded: int | None = None  # next offset, everything below is in `posts.keyed`
        self.waits: Wait | None = None  # while Kafka cannot be used
        self._partition = partition
        self._log = log
        self._producer = producer
        self._topic = topic
        self._waiting = waiting
        self._epoch = 0
        self._cursor: int | None = None
        self._given: tuple[int, int | None] | None = None  # epoch, end: as the last check found
        self._lock = asyncio.Lock()
        self._closed = False

    def close(self) -> None:
        self._closed = True

    async def drain(self) -> None:
        """Wait until the batch in hand is acknowledged."""
        async with self._lock:
            pass

    async def check(self) -> None:
        """Take up the partition before its first batch comes, and again where the last batch that
        was given out got lost: two checks found it on its way."""
        if self._lock.locked() or self._closed:
            return
        async with self._lock:
            if self.forwarded is None:
                await self._start()
                return
            before, self._given = self._given, (self._epoch, await self._log.given())
            if self._given == before and self._given[1] not in (None, self._cursor):
                await self._seek(self.forwarded)

    def lag(self, begin: int, end: int, batch_end: int, read_to: int) -> int | None:
        """Records that are not forwarded; None: unknown.  As `Partition.lag`."""
        if self.forwarded is None:
            return None
        at = max(self.forwarded, begin)
        if not self._lock.locked() and self._cursor == batch_end:
            at = max(at, read_to)
        return max(0, end - at)

    async def deliver(self, batch: Batch) -> None:
        async with self._lock:
            if self._closed:
                return
            try:
                if self.forwarded is None:
                    await self._start()
                elif batch.epoch == self._epoch:
                    if batch.start != self._cursor:
                        await self._seek(self.forwarded)
                        return
                    await self._send(batch.records)
                    self._cursor = self.forwarded = batch.end
                    self.waits = None
            except (KafkaError, OSError, TimeoutError) as error:
                reason = f"forward: {type(error).__name__}: {error}"
                self.waits = Wait(self.waits.since if self.waits else time.monotonic(), reason)
                self._waiting(reason)
                await asyncio.sleep(_BACKOFF)
                self.forwarded = None  # start again where Kafka says

    async def _start(self) -> None:
        committed = await self._log.committed()
        self.forwarded = await self._seek(committed)

    async def _seek(self, offset: int | None) -> int:
        self._epoch, self._cursor = await self._log.seek(offset)
        return self._cursor

    async def _send(self, records: Sequence[Any]) -> None:
        delivery = Delivery(self._producer)
        partition = ("source-partition", b"%d" % self._partition)
        for record in records:
            by, is_uid = keyed_by(record, self._partition)
            headers = [
                *record.headers,
                partition,
                ("source-offset", b"%d" % record.offset),
            ]
            if is_uid and record.key != by:  # a dead letter gets its own key back
                headers.append(
                    ("source-key", record.key)
                    if record.key is not None
                    else ("source-keyless", b"")
                )
            await delivery.add(
                self._topic,
                by,
                key=by if is_uid else record.key,
                value=record.value,
                timestamp=record.timestamp,
                headers=headers,
            )
        await delivery.acknowledged()


def committed_offsets(forwarders: Mapping[Any, Forwarder]) -> dict[Any, int]:
    """What may be committed to Kafka of the raw partitions."""
    return {tp: f.forwarded for tp, f in forwarders.items() if f.forwarded is not None}
