"""When a producer is replaced by another one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    MessageSizeTooLargeError,
    UnknownTopicOrPartitionError,
)

from streams import producing
from streams.producing import LastingProducer


class Fake:
    """A producer; `fails` is what it answers with from its first question on."""

    def __init__(self, fails: Exception | None) -> None:
        self.fails = fails
        self.stopped = False
        self.client = self

    async def start(self) -> None: ...

    async def stop(self) -> None:
        self.stopped = True

    async def partitions_for(self, topic: str) -> set[int]:
        if self.fails is not None:
            raise self.fails
        return {0}

    async def fetch_all_metadata(self) -> Any:
        if self.fails is not None:
            await asyncio.sleep(60)
        return self

    def topics(self) -> set[str]:
        return {"posts.raw"}

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[object]:
        sent: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        loop = asyncio.get_running_loop()  # as a broker: not before somebody waits for it
        if self.fails is None:
            loop.call_soon(sent.set_result, None)
        else:
            loop.call_soon(sent.set_exception, self.fails)
        return sent


def lasting(*fakes: Fake) -> LastingProducer:
    made = iter(fakes)
    return LastingProducer(lambda: next(made))  # type: ignore[arg-type, return-value]


async def test_one_that_was_refused_a_batch_is_replaced() -> None:
    broken, fresh = Fake(MessageSizeTooLargeError()), Fake(None)
    producer = lasting(broken, fresh)
    with pytest.raises(MessageSizeTooLargeError):
        await (await producer.send_batch(None, "posts.dead", partition=0))
    await (await producer.send_batch(None, "posts.dead", partition=0))
    assert (broken.stopped, fresh.stopped) == (True, False)


async def test_one_that_is_told_of_no_topic_is_replaced() -> None:
    producer = lasting(Fake(UnknownTopicOrPartitionError()), Fake(None))
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.partitions_for("posts.dead")
    assert await producer.partitions_for("posts.dead") == {0}


async def test_one_that_does_not_answer_an_idle_worker_is_replaced() -> None:
    producer = lasting(Fake(TimeoutError()), Fake(None))
    for _ in range(4):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(producer.topics(), 0.01)
    assert await producer.topics() == {"posts.raw"}


class Stuck(Fake):
    """Its batches are never answered, and it does not end by itself."""

    def __init__(self) -> None:
        super().__init__(UnknownTopicOrPartitionError())
        self._sender = self
        self.sender_task = asyncio.create_task(asyncio.sleep(60))
        self.closed = False

    async def stop(self) -> None:
        await asyncio.sleep(60)

    async def close(self) -> None:
        self.closed = True

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> asyncio.Future[object]:
        return asyncio.get_running_loop().create_future()


async def test_nobody_waits_for_a_batch_of_one_that_was_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(producing, "_STOP_SECONDS", 0.05)
    stuck = Stuck()
    producer = lasting(stuck, Fake(None))
    sent = await producer.send_batch(None, "posts.keyed", partition=0)
    with pytest.raises(UnknownTopicOrPartitionError):
        await producer.partitions_for("posts.keyed")
    await (await producer.send_batch(None, "posts.keyed", partition=0))
    with pytest.raises(KafkaConnectionError):
        await asyncio.wait_for(sent, 10)
    assert stuck.sender_task.cancelled()
    assert stuck.closed
