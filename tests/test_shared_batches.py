"""Records of many deliveries, a batch of a partition at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from streams.shared_batches import SharedBatches

HERE, THERE = ("posts.keyed", 0), ("posts.keyed", 1)
MOST = 3  # records in a batch


class Batch(list[bytes]):
    """As aiokafka's: `append` says None where it is full."""

    def append(self, *, value: bytes, **_: Any) -> Any:  # type: ignore[override]
        if len(self) == MOST:
            return None
        super().append(value)
        return object()


class Broker:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, list[bytes], asyncio.Future[None]]] = []

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> Any:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent.append((partition, list(batch), written))
        return written

    @property
    def open(self) -> list[tuple[int, list[bytes]]]:
        return [(partition, batch) for partition, batch, done in self.sent if not done.done()]

    async def answer(self, error: Exception | None = None) -> None:
        """To the oldest that has none."""
        written = next(done for _, _, done in self.sent if not done.done())
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def broker() -> Broker:
    return Broker()


@pytest.fixture
async def shared(broker: Broker) -> SharedBatches:
    return SharedBatches(broker)


def add(shared: SharedBatches, place: tuple[str, int], values: str) -> list[asyncio.Future[None]]:
    return [
        shared.add(place, key=None, value=value.encode(), timestamp=1, headers=[])
        for value in values
    ]


async def test_what_comes_meanwhile_goes_together(shared: SharedBatches, broker: Broker) -> None:
    first = add(shared, HERE, "a")
    shared.send(HERE)
    await settled()
    others = add(shared, HERE, "b") + add(shared, HERE, "c")
    shared.send(HERE)
    shared.send(HERE)
    await settled()
    assert broker.open == [(0, [b"a"])]
    await broker.answer()
    assert first[0].done()
    assert broker.open == [(0, [b"b", b"c"])]
    assert not any(one.done() for one in others)
    await broker.answer()
    assert all(one.done() for one in others)
    assert not shared._senders


async def test_partitions_do_not_wait_for_each_other(shared: SharedBatches, broker: Broker) -> None:
    for place in (HERE, THERE):
        add(shared, place, "a")
        shared.send(place)
    await settled()
    assert broker.open == [(0, [b"a"]), (1, [b"a"])]


async def test_what_is_full_goes_by_itself(shared: SharedBatches, broker: Broker) -> None:
    add(shared, HERE, "abcd")
    await settled()
    assert broker.open == [(0, [b"a", b"b", b"c"])]
    await broker.answer()
    assert broker.open == [(0, [b"d"])]  # nobody waits for it yet, and nothing is before it


async def test_behind_a_failure_nothing_is_written(shared: SharedBatches, broker: Broker) -> None:
    written = add(shared, HERE, "abcdefg")
    other = add(shared, THERE, "a")
    shared.send(HERE)
    shared.send(THERE)
    await settled()
    await broker.answer(ConnectionError("gone"))
    errors = Counter(type(one.exception()) for one in written)
    assert errors == {ConnectionError: 7}
    assert not other[0].done()
    again = add(shared, HERE, "abc")
    shared.send(HERE)
    await settled()
    assert broker.open == [(1, [b"a"]), (0, [b"a", b"b", b"c"])]
    await broker.answer()
    await broker.answer()
    assert all(one.exception() is None for one in (*again, *other))


async def test_whoever_gives_up_takes_nothing_with_it(
    shared: SharedBatches, broker: Broker
) -> None:
    mine, other = add(shared, HERE, "ab")

    async def wait() -> None:
        await asyncio.wait({mine})

    waiting = asyncio.ensure_future(wait())
    shared.send(HERE)
    await settled()
    waiting.cancel()
    await settled()
    await broker.answer()
    assert other.done()
    assert other.exception() is None


async def test_a_sender_that_is_ended_says_so(shared: SharedBatches, broker: Broker) -> None:
    written = add(shared, HERE, "abcd")
    await settled()
    for sender in shared._senders.values():
        sender.cancel()
    await settled()
    assert {type(one.exception()) for one in written} == {ConnectionError}
