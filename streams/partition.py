"""The protocol of one partition: whatever dies, each record of the log is counted exactly once.

A partition believes a position (incarnation, next offset), and every batch is written on the
condition that Redis holds the same.  Where it does not (another worker wrote, Redis went back in
time, a reply was lost), nothing was written: the partition loads what Redis holds, seeks there and
goes on.  Before it goes on it reads the last counted record back, to see that the log is still the
same one.

States: no position -> (load, seek to the record before it) -> verifying -> running.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from streams.classify import Classifier
from streams.ports import Batch, Limits, Log, Observer, Wait
from streams.reading import Misplaced, Reading, Rules, read
from streams.store.commit import Commit, Moved, PartitionStore, State, key_hash
from streams.writing import BatchWriter

T = TypeVar("T")

_FIRST_BACKOFF: Final = 0.05  # seconds; doubled each time
RETRIED: Final = (RedisError, KafkaError, OSError, TimeoutError)


class Closed(Exception):
    """The partition was taken away while it waited."""


class Partition:
    """One assigned partition.  `deliver` and `check` may be called at any time, from any task."""

    def __init__(
        self,
        *,
        name: str,
        log: Log,
        store: PartitionStore,
        writer: BatchWriter,
        observer: Observer,
        limits: Limits,
        classifier: Callable[[], Classifier],
        rules: Rules,
        most: int = 1500,
        patience: float = 5.0,
        misplaced: Misplaced | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.position: State | None = None
        self.paused: str | None = None
        self.busy_since: float | None = None  # monotonic seconds, while a batch is uncommitted
        self.waits: Wait | None = None  # while Redis or Kafka cannot be used
        self._log = log
        self._store = store
        self._writer = writer
        self._observer = observer
        self._limits = limits
        self._classifier = classifier
        self._rules = rules
        self._most = most  # records in one commit
        self._patience = patience  # seconds between two tries, at most
        self._misplaced = misplaced
        self._sleep = sleep
        self._lock = asyncio.Lock()
        self._epoch = 0
        self._cursor: int | None = None
        self._given: tuple[int, int | None] | None = None  # epoch, end: as the last check found
        self._verifying = False
        self._closed = False
        self._incidents: list[tuple[str, ...]] = []  # written with the next batch

    def close(self) -> None:
        """Let go: what waits for Redis or Kafka gives up, what is not committed is another's."""
        self._closed = True

    async def drain(self) -> None:
        """Wait until the batch in hand is committed."""
        async with self._lock:
            pass

    @property
    def offset(self) -> int | None:
        """Next offset to count, as this worker believes; None before the first load."""
        return None if self.position is None else self.position.offset

    def lag(self, begin: int, end: int, batch_end: int, read_to: int) -> int | None:
        """Records of the log, which holds `begin` to `end`, that are not counted; None: unknown.

        `batch_end` is where the last batch ended, `read_to` what the client has read.  Transaction
        markers and aborted records that nothing follows are read and give no batch: without them a
        drained log would seem one short for ever.
        """
        if self.position is None:
            return None
        at = max(self.position.offset or 0, begin)
        idle = not (self._lock.locked() or self._verifying or self.paused)
        if idle and self._cursor == batch_end:
            at = max(at, read_to)
        return max(0, end - at)

    async def deliver(self, batch: Batch) -> None:
        """Count a batch, or find out why it cannot be counted here.

        Waits while Redis or Kafka cannot be used; returns early where the partition is closed.
        """
        with suppress(Closed):
            await self._deliver(batch)

    async def _deliver(self, batch: Batch) -> None:
        async with self._lock:
            if self.paused or self._closed:
                return
            if self.position is None:
                await self._load()
                return
            if batch.epoch != self._epoch:
                return  # cut before the last seek: what it holds comes again
            if batch.start != self._cursor:
                self._observer.rejected("lost_batch")
                await self._load()
                return
            self._cursor = batch.end
            await self._take(list(batch.records), batch.start)

    async def check(self) -> None:
        """Compare the stored position with the believed one: finds a rollback under an idle topic,
        and a batch that got lost and that none follows.

        Raises what Redis raises; the caller asks again a second later.
        """
        if self._lock.locked() or self.paused or self._closed:
            return  # a batch in hand compares by itself
        with suppress(Closed):
            await self._check()

    async def _check(self) -> None:
        async with self._lock:
            if self.position is None:
                await self._load()
                return
            stored = await self._store.load()
            if (stored.gen, stored.offset) != (self.position.gen, self.position.offset):
                self._observer.rejected("rolled_back")
                await self._load()
            elif await self._is_lost():
                self._observer.rejected("lost_batch")
                await self._load()

    async def _is_lost(self) -> bool:
        """Whether the last batch that was given out never came: two checks found it on its way."""
        before, self._given = self._given, (self._epoch, await self._log.given())
        return self._given == before and self._given[1] not in (None, self._cursor)

    async def _load(self) -> None:
        """Take Redis' position and seek to the record before it, to be read back."""
        state = await self._retry("redis", self._store.load)
        self.position = state
        self._writer.forget()
        await self._seek(None if state.offset is None else max(state.offset - 1, 0))
        self._verifying = bool(state.offset)

    async def _seek(self, offset: int | None) -> None:
        async def seek() -> tuple[int, int]:
            return await self._log.seek(offset)

        self._epoch, self._cursor = await self._retry("kafka", seek)

    async def _take(self, records: list[Any], start: int | None) -> None:
        position = self.position
        assert position is not None  # noqa: S101 - set by the caller
        if self._verifying:
            assert position.offset is not None  # noqa: S101 - what is verified
            probe = records[0]
            if probe.offset == position.offset - 1:
                if (probe.timestamp, key_hash(probe.key)) != (position.timestamp, position.key):
                    await self._new_log("the last counted record is another one")
                    return
                records = records[1:]
            elif probe.offset < position.offset - 1:
                await self._new_log("the log ends before the last counted record")
                return
            self._verifying = False
        elif start is not None and records[0].offset < start:
            await self._load()  # Kafka's client went back by itself: look at the log again
            return
        if not records:
            return
        if position.offset is not None and records[0].offset > position.offset:
            await self._gap(position.offset, records[0].offset)
        await self._count(records)

    async def _gap(self, expected: int, found: int) -> None:
        """Offsets that a fresh fetch does not return.

        Transaction markers and compaction leave such gaps; where retention does, posts are lost.
        """
        earliest = await self._retry("kafka", self._log.earliest)
        if earliest > expected:
            skipped = earliest - expected
            self._observer.incident(
                "retention", partition=self.name, offset=expected, skipped=skipped
            )
            self._incidents = [
                ("kind", "retention", "offset", str(expected), "skipped", str(skipped))
            ]

    async def _new_log(self, reason: str) -> None:
        position = self.position
        assert position is not None  # noqa: S101 - set by the caller
        self._observer.incident(
            "new_log", partition=self.name, offset=position.offset, reason=reason
        )
        try:
            await self._store.incarnate(position.gen, position.offset, reason)
        except Moved:
            self._observer.rejected("moved")
        except RETRIED as error:
            self._observer.waiting(f"redis: {type(error).__name__}")
        await self._load()

    async def _count(self, records: list[Any]) -> None:
        self.busy_since = time.monotonic()
        try:
            while records and not self.paused:
                position = self.position
                assert position is not None  # noqa: S101 - set by the caller
                reading = read(
                    records[: self._most],
                    watermark=position.watermark,
                    sources=position.sources,
                    rules=self._rules,
                    misplaced=self._misplaced,
                )
                self.paused = self._limits.pause_reason(reading)
                if self.paused:
                    self._observer.incident("paused", partition=self.name, reason=self.paused)
                    return
                try:
                    await self._write(position, records, reading)
                except Moved:
                    self._observer.rejected("moved")
                    await self._load()
                    return
                records = records[reading.taken :]
        finally:
            self.busy_since = None

    async def _write(self, position: State, records: list[Any], reading: Reading) -> None:
        """One batch; all of it again where a call failed."""
        last = records[reading.taken - 1]
        commit = Commit(
            gen=position.gen,
            expect=position.offset,
            base=records[0].offset,
            offset=last.offset + 1,
            timestamp=last.timestamp,
            key=key_hash(last.key),
        )

        async def attempt() -> None:
            await self._writer.write(commit, reading, self._classifier(), self._incidents)

        await self._retry("batch", attempt)
        self._incidents = []
        self.position = State(
            gen=position.gen,
            offset=commit.offset,
            timestamp=commit.timestamp,
            key=commit.key,
            watermark=reading.watermark,
            sources={**position.sources, **reading.sources},
        )

    async def _retry(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Until it works, with back-off; errors of Redis, Kafka and the network are waited out."""
        backoff = _FIRST_BACKOFF
        while True:
            if self._closed:
                raise Closed
            try:
                found = await call()
            except RETRIED as error:
                reason = f"{what}: {type(error).__name__}: {error}"
                self.waits = Wait(self.waits.since if self.waits else time.monotonic(), reason)
                self._observer.waiting(reason)
                await self._sleep(backoff)
                backoff = min(backoff * 2, self._patience)
            else:
                self.waits = None
                return found
