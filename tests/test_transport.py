"""When the consumer asks for records again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.transport import BatchConsumer

FULL = TP("posts.raw", 0)


async def test_a_buffer_with_room_is_filled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.transport._FULL_SECONDS", None)  # nothing else ends the wait
    consumer: Any = BatchConsumer.__new__(BatchConsumer)
    asked: list[set[TP]] = []

    async def getmany(active_partitions: set[TP], timeout: float) -> dict[TP, Any]:  # noqa: ASYNC109
        asked.append(set(active_partitions))
        return {}

    consumer.app = SimpleNamespace(client_only=False, in_recovery=False)
    consumer.flow_active = True
    consumer.not_waiting_next_records = asyncio.Event()
    consumer._active_partitions, consumer._buffered_partitions = {FULL}, set()
    consumer._room = asyncio.Event()
    consumer._getmany = getmany

    consumer.on_buffer_full(FULL)
    waiting = asyncio.ensure_future(consumer._wait_next_records(1.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert asked == []
    consumer.on_buffer_drop(FULL)
    await waiting
    assert asked == [{FULL}]
