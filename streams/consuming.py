"""aiokafka's consumer in Faust's thread, which cuts what it fetched into batches.

A batch says where it was cut from the log: `start` is where the one before it ended and `epoch` is
that of the last seek, so that the receiver can tell a batch that got lost (a cleared buffer, a
cancelled agent) or that is from before a seek.  Offsets are moved by the receiver, with `seek_to`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.fetching import fetch_lists

_epochs: Final = itertools.count(1)
#: A broker answers one request of a connection after the other: whoever asks for offsets (each
#: partition that is taken up, the watchdog) waits behind a fetch that waits for records.  Faust has
#: it wait for 1.5 s; eight idle partitions were taken up in 6 s.
_LONGEST_POLL_MS: Final = 200


class Batch(NamedTuple):
    """Consecutive records of one partition; `end` is the offset that the next batch starts at."""

    tp: TP
    epoch: int
    start: int | None
    end: int
    records: list[Any]  # aiokafka's own, see `streams.fetching`


class BatchThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in its thread; cuts fetched records into batches."""

    moved: Callable[[TP], None]  # told of each seek, in Faust's event loop

    def __post_init__(self) -> None:
        super().__post_init__()
        self._epoch: dict[TopicPartition, int] = {}
        self._end: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust ties the isolation level to its own transactions; producers may use theirs.
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = _LONGEST_POLL_MS
        return consumer

    async def on_start(self) -> None:
        await super().on_start()
        fetch_lists(self._ensure_consumer())

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's signature
        max_records: int | None = None,
    ) -> dict[TP, Any]:
        fetched: Any = await super()._fetch_records(
            consumer, active_partitions, timeout, max_records
        )
        batches: dict[TP, Any] = {}
        for tp, records in fetched.items():
            if not records:
                continue
            start = self._end.get(tp)
            end = self._end[tp] = max(self._position(consumer, tp), records[-1].offset + 1)
            place = TP(tp.topic, tp.partition)
            batches[place] = [Batch(place, self._epoch.get(tp, 0), start, end, records)]
        return batches

    @staticmethod
    def _position(consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
        assignment = consumer._subscription.subscription.assignment
        try:
            position = assignment.state_value(tp)._position
        except (AttributeError, KeyError):  # just revoked: the receiver is gone, too
            return 0
        return int(position) if position is not None else 0

    async def seek_to(self, tp: TP, offset: int | None) -> tuple[int, int]:
        """Seek to an offset (None: the partition's first); epoch and first offset of what follows.

        Raises `IllegalStateError` where the partition is not assigned any more.
        """
        sought: tuple[int, int] = await self.call_thread(self._seek_to, tp, offset)
        self.moved(tp)
        return sought

    def wake(self) -> None:
        """Have a wait for records look again: another partition has room by now."""
        self.thread_loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        fetcher: Any = None if self._consumer is None else self._consumer._fetcher
        if fetcher is not None:
            for waiter in list(fetcher._fetch_waiters):
                if not waiter.done():
                    waiter.set_result(None)

    async def _seek_to(self, tp: TP, offset: int | None) -> tuple[int, int]:
        consumer = self._ensure_consumer()
        partition = TopicPartition(tp.topic, tp.partition)
        if offset is None:
            offset = (await consumer.beginning_offsets([partition]))[partition]
        consumer.seek(partition, offset)
        epoch = self._epoch[partition] = next(_epochs)
        self._end[partition] = offset
        return epoch, offset

    async def committed(self, tp: TP) -> int | None:
        """The group's committed offset, None where there is none."""
        consumer = self._ensure_consumer()
        offset: int | None = await self.call_thread(
            consumer.committed, TopicPartition(tp.topic, tp.partition)
        )
        return offset

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit offsets to the consumer group: for lag tools, and for the forwarding agent."""
        await self.call_thread(self._commit_offsets, dict(offsets))

    async def _commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        wanted = {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            if TopicPartition(tp.topic, tp.partition) in assigned
        }
        if wanted:
            await consumer.commit(wanted)

    async def end_offsets(self, tps: set[TP]) -> dict[TP, int]:
        """Log end offsets (last stable offset for transactional topics), from the broker."""
        found = await self.call_thread(
            self._ensure_consumer().end_offsets, [TopicPartition(*tp) for tp in tps]
        )
        return {TP(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def read_to(self, tps: set[TP]) -> dict[TP, tuple[int, int]]:
        """Where the last batch of each ended, and what has been read: more, where transaction
        markers or aborted records followed."""
        found: dict[TP, tuple[int, int]] = await self.call_thread(self._read_to, tps)
        return found

    async def _read_to(self, tps: set[TP]) -> dict[TP, tuple[int, int]]:
        consumer = self._ensure_consumer()
        places = {tp: TopicPartition(*tp) for tp in tps}
        return {
            tp: (self._end[place], self._position(consumer, place))
            for tp, place in places.items()
            if place in self._end
        }

    async def begin_offsets(self, tps: set[TP]) -> dict[TP, int]:
        """Offsets of the first records that the logs still hold."""
        found = await self.call_thread(
            self._ensure_consumer().beginning_offsets, [TopicPartition(*tp) for tp in tps]
        )
        return {TP(tp.topic, tp.partition): offset for tp, offset in found.items()}


class PartitionLog:
    """A partition's log, moved in by way of the consumer's thread."""

    def __init__(self, thread: Callable[[], BatchThread], tp: TP) -> None:
        self._thread = thread
        self._tp = tp

    async def seek(self, offset: int | None) -> tuple[int, int]:
        return await self._thread().seek_to(self._tp, offset)

    async def earliest(self) -> int:
        found = await self._thread().earliest_offsets(self._tp)
        return int(next(iter(found.values())))

    async def given(self) -> int | None:
        found = await self._thread().read_to({self._tp})
        return found[self._tp][0] if self._tp in found else None

    async def committed(self) -> int | None:
        return await self._thread().committed(self._tp)
