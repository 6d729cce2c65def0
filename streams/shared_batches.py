"""Batches that the deliveries of a process share.

A broker is sent one batch of a partition at a time, and what is to follow waits for its answer.
With batches of their own the deliveries of eight partitions, each to the same eight, wait for one
another sixty-four times; here all that comes while a batch is on its way is in the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Any, Protocol, TypeAlias

Headers: TypeAlias = Sequence[tuple[str, bytes]]
Place: TypeAlias = tuple[str, int]  # topic and partition


class Sends(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    def create_batch(self) -> Any: ...
    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Awaitable[object]: ...


class _Shared:
    """Records, and what comes of them."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch
        self.written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.written.add_done_callback(_heard)
        self.full = False


class SharedBatches:
    """Records by partition, written in the order in which they were added, a batch at a time.

    Where a batch fails, all that was added to its partition behind it fails, too: a delivery that
    is repeated from its beginning has nothing written behind what is missing.
    """

    def __init__(self, producer: Sends) -> None:
        self._producer = producer
        self._waiting: dict[Place, deque[_Shared]] = {}
        self._senders: dict[Place, asyncio.Task[None]] = {}

    def add(
        self,
        place: Place,
        *,
        key: bytes | None,
        value: bytes | None,
        timestamp: int,
        headers: Headers,
    ) -> asyncio.Future[None]:
        """A record (`timestamp` in ms); done once the brokers have it, and for all records of a
        batch the same.  Not to be cancelled.  Fails with what the producer raises."""
        queue = self._waiting.setdefault(place, deque())
        if queue and not queue[-1].full:
            last = queue[-1]
            if last.batch.append(timestamp=timestamp, key=key, value=value, headers=headers):
                return last.written
            last.full = True
            self.send(place)
        last = _Shared(self._producer.create_batch())
        # The first one always fits.
        last.batch.append(timestamp=timestamp, key=key, value=value, headers=headers)
        queue.append(last)
        return last.written

    def send(self, place: Place) -> None:
        """Send what was added, as soon as what was sent before is answered."""
        if place not in self._senders:
            self._senders[place] = asyncio.ensure_future(self._send_all(place))

    async def _send_all(self, place: Place) -> None:
        topic, partition = place
        queue = self._waiting[place]
        failed: BaseException | None = None
        try:
            while queue and failed is None:
                first = queue.popleft()
                try:
                    sent = await self._producer.send_batch(first.batch, topic, partition=partition)
                    await sent
                except BaseException as error:
                    failed = error
                    queue.appendleft(first)
                    if not isinstance(error, Exception):
                        raise
                else:
                    first.written.set_result(None)
        finally:
            del self._senders[place]
            if failed is not None:
                for one in queue:
                    one.written.set_exception(_as_error(failed))
                queue.clear()


def _as_error(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else ConnectionError("the sender was ended")


def _heard(written: asyncio.Future[None]) -> None:
    """Nobody may be left who asks: a delivery that was cancelled."""
    if not written.cancelled():
        written.exception()
