"""When the consumer asks for records again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.ahead import Ahead
from streams.consuming import Batch
from streams.transport import BatchConsumer

HERE, THERE = TP("posts.raw", 0), TP("posts.raw", 1)


class Records(SimpleNamespace):
    """What is used of records."""

    offset, timestamp, timestamp_type = 0, 0, 0


class Consumer(BatchConsumer):
    """Of two partitions, without Kafka."""

    asked: list[set[TP]]
    woken: int

    def __init__(self) -> None:
        it: Any = self
        it.app = SimpleNamespace(client_only=False, in_recovery=False, consumer_generation_id=0)
        it.flow_active = True
        it.not_waiting_next_records = asyncio.Event()
        it._active_partitions, it._buffered_partitions = {HERE, THERE}, set()
        it._room, it._ahead = asyncio.Event(), Ahead(1)
        it._thread = SimpleNamespace(wake=self._wake)
        self.asked, self.woken = [], 0

    def _wake(self) -> None:
        self.woken += 1

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109
        self.asked.append(set(active_partitions))
        return {}

    def give(self, tp: TP, records: int = 1, epoch: int = 1) -> Batch:
        batch = Batch(tp, epoch, 0, records, [Records()] * records)
        self._to_message(tp, batch)
        return batch


async def test_a_partition_with_room_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.transport._FULL_SECONDS", None)  # nothing else ends the wait
    consumer = Consumer()
    batch, _ = consumer.give(HERE), consumer.give(THERE)
    waiting = asyncio.ensure_future(consumer._wait_next_records(1.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert consumer.asked == []
    consumer.finished(batch)
    await waiting
    assert consumer.asked == [{HERE}]


async def test_a_fetch_in_progress_hears_of_the_room() -> None:
    consumer = Consumer()
    batch = consumer.give(HERE)
    seen_by_the_fetch = consumer._get_active_partitions()
    assert seen_by_the_fetch == {THERE}
    consumer.finished(batch)
    assert seen_by_the_fetch == {HERE, THERE}
    assert consumer.woken == 1
    consumer.finished(consumer.give(HERE, records=500))  # it had room for another one all the time
    assert consumer.woken == 1


async def test_a_seek_makes_room() -> None:
    consumer = Consumer()
    before = consumer.give(HERE)
    consumer.moved(HERE)
    assert consumer._active_partitions == {HERE, THERE}
    consumer.give(HERE, epoch=2)
    consumer.finished(before)
    assert consumer._active_partitions == {THERE}
