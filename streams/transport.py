"""A Faust transport that hands over what was fetched of a partition as one event.

Faust's cost is per event: four tasks and about 45 us a record, 10,000-12,000 posts/s however simple
the agent.  Here one event is a `Batch`: all records that one fetch returned for one partition.

Faust's own bookkeeping of offsets (acks, `_read_offset`, its commits) is switched off: it would
drop what is read again after a seek back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Any, Final, Protocol, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, EventT

from streams.ahead import Ahead
from streams.consuming import Batch, BatchThread

_FULL_SECONDS: Final = 1.0  # between two looks whether a buffer has room, should nobody say so


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


class BatchConsumer(driver.Consumer):
    """Faust's consumer without its offset keeping, and with room for batches instead of events."""

    hooks: RebalanceHooks | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()
        self._room = asyncio.Event()
        self._ahead = Ahead(cast("BatchTransport", self.transport).batches_ahead)

    def _new_consumer_thread(self) -> BatchThread:
        thread = BatchThread(self, loop=self.loop, beacon=self.beacon)
        thread.moved = self.moved
        return thread

    @property
    def thread(self) -> BatchThread:
        return cast("BatchThread", self._thread)

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        batch: Batch = record
        if self._ahead.given(tp, batch.epoch, len(batch.records)):
            self._active_partitions.discard(tp)
            self._buffered_partitions.add(tp)
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

    def finished(self, batch: Batch) -> None:
        """Whoever was given a batch is done with it, whatever came of it."""
        if self._ahead.finished(batch.tp, batch.epoch):
            self._reopen(batch.tp)

    def moved(self, tp: TP) -> None:
        """After a seek: what was given before is nothing to wait for."""
        self._ahead.forget(tp)
        self._reopen(tp)

    def _reopen(self, tp: TP) -> None:
        if tp in self._buffered_partitions:
            self._buffered_partitions.discard(tp)
            self._active_partitions.add(tp)  # the very set that a fetch in progress looks into
            self._room.set()
            self.thread.wake()

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - the driver's
        """Where no partition has room Faust sleeps for a second, however soon one has."""
        if self.flow_active and self._buffered_partitions and not self._active_partitions:
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), _FULL_SECONDS)
            if not self._active_partitions:
                return {}, set()
        return await super()._wait_next_records(timeout)

    async def perform_seek(self) -> None:
        """After each rebalance: Faust would seek to Kafka's offsets; the owner seeks to Redis'."""
        if self.hooks is not None:
            await self.hooks.on_assigned({TP(*tp) for tp in self.assignment()})

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self._buffered_partitions.clear()  # all are active, and what was given is of old epochs
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
    """Installed with `app.transport = BatchTransport(...)`.

    `batches_ahead`: of a partition that is behind, how many may wait beside the one in hand.
    """

    Consumer = BatchConsumer

    def __init__(self, *args: Any, batches_ahead: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batches_ahead = batches_ahead


class BatchTopic(faust.Topic):
    """A topic whose events carry a `Batch`; to be made with `acks=False`."""

    def _compile_decode(self) -> None:
        async def decode(message: Any, *, propagate: bool = False) -> EventT[Any]:
            return self._create_event(None, message.value, headers={}, message=message)

        self.decode = decode  # type: ignore[method-assign] # as Faust's own does
