"""A Faust transport that hands over what was fetched of a partition as one event.

Faust's cost is per event: four tasks and about 45 us a record, 10,000-12,000 posts/s however simple
the agent.  Here one event is a `Batch`: all records that one fetch returned for one partition.

A batch says where it was cut from the log: `start` is where the one before it ended and `epoch` is
that of the last seek, so that the receiver can tell a batch that got lost (a cleared buffer, a
cancelled agent) or that is from before a seek.  Offsets are moved by the receiver, with `seek_to`;
Faust's own bookkeeping of them (acks, `_read_offset`, its commits) is switched off, because it
would drop what is read again after a seek back.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, EventT

from streams.fetching import fetch_lists

_epochs: Final = itertools.count(1)
#: A broker answers one request of a connection after the other: whoever asks for offsets (each
#: partition that is taken up, the watchdog) waits behind a fetch that waits for records.  Faust has
#: it wait for 1.5 s; eight idle partitions were taken up in 6 s.
_LONGEST_POLL_MS: Final = 200
_FULL_SECONDS: Final = 1.0  # between two looks whether a buffer has room, should nobody say so


class Batch(NamedTuple):
    """Consecutive records of one partition; `end` is the offset that the next batch starts at."""

    tp: TP
    epoch: int
    start: int | None
    end: int
    records: list[Any]  # aiokafka's own, see `streams.fetching`


class RebalanceHooks(Protocol):
    """What the owner of the partitions is told by the consumer, in Faust's event loop."""

    async def on_assigned(self, assigned: set[TP]) -> None: ...
    async def on_revoked(self, revoked: set[TP]) -> None: ...


class _NoReadOffsets(defaultdict[TP, int | None]):
    """Faust drops messages below its read offset, also the ones read again after a seek back."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        pass

    def update(self, *_: object, **__: object) -> None:
        pass


class BatchThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in its thread; cuts fetched records into batches."""

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
        return sought

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


class BatchConsumer(driver.Consumer):
    """Faust's consumer without its offset keeping."""

    hooks: RebalanceHooks | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self._room = asyncio.Event()

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def thread(self) -> BatchThread:
        return cast("BatchThread", self._thread)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        batch: Batch = record
        last = batch.records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.records[0].offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            [],
            None,
            batch,  # type: ignore[arg-type] # the value is the batch: BatchTopic hands it on
            None,
            None,
            None,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_drop(self, tp: TP) -> None:
        super().on_buffer_drop(tp)
        self._room.set()

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the driver's
        """Where all partitions' buffers are full Faust sleeps for a second, however soon one has
        room: a worker that is behind, or takes up a burst, would have nothing to do meanwhile."""
        if self.flow_active and self._buffered_partitions and not self._get_active_partitions():
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _FULL_SECONDS)
            if not self._get_active_partitions():
                return {}, set()
        return await super()._wait_next_records(timeout)

    async def perform_seek(self) -> None:
        """After each rebalance: Faust would seek to Kafka's offsets; the owner seeks to Redis'."""
        if self.hooks is not None:
            await self.hooks.on_assigned({TP(*tp) for tp in self.assignment()})

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned and self.hooks is not None:
            # A worker more than there is work for: Faust has nothing to seek, and does not say.
            await self.hooks.on_assigned(set())

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        if self.hooks is not None:
            await self.hooks.on_revoked(revoked)

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Nothing: offsets are moved with the counts, and Kafka's follow from the watchdog."""
        return False


class BatchTransport(driver.Transport):
    """Installed with `app.transport = BatchTransport(...)`."""

    Consumer = BatchConsumer


class BatchTopic(faust.Topic):
    """A topic whose events carry a `Batch`; to be made with `acks=False`."""

    def _compile_decode(self) -> None:
        async def decode(message: Any, *, propagate: bool = False) -> EventT[Any]:
            return self._create_event(None, message.value, headers={}, message=message)

        self.decode = decode  # type: ignore[method-assign] # as Faust's own does
