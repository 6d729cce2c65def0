"""What replay sends: keys, partitions and timestamps."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable
from typing import NamedTuple

import orjson
import pytest

from streams.config import load_settings
from streams.errors import UserError
from streams.ingest.replay import ReplayStats, replay, replay_stream
from streams.ingest.simulate import load_scenario, simulate
from streams.murmur2 import partition_of

ROOT_MS = 1508098871289
BATCH = 5  # records


class Sent(NamedTuple):
    partition: int
    timestamp: int
    key: bytes | None
    value: bytes


class FakeBatch:
    def __init__(self) -> None:
        self.records: list[tuple[int, bytes | None, bytes]] = []

    def append(self, *, timestamp: int, key: bytes | None, value: bytes) -> object | None:
        if len(self.records) == BATCH:
            return None
        self.records.append((timestamp, key, value))
        return object()

    def record_count(self) -> int:
        return len(self.records)


class FakeProducer:
    def __init__(self, partitions: int = 4) -> None:
        self.partitions = partitions
        self.sent: list[Sent] = []

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(self.partitions))

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(
        self, batch: FakeBatch, topic: str, *, partition: int
    ) -> Awaitable[object]:
        self.sent += [Sent(partition, *record) for record in batch.records]
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def by_value(self, value: bytes) -> Sent:
        (found,) = [record for record in self.sent if record.value == value]
        return found


def status(number: int, created: int) -> bytes:
    """A good v1.1 post; `created` in ms."""
    return orjson.dumps(
        {
            "created_at": "Sun Oct 15 20:21:11 +0000 2017",
            "id": number,
            "id_str": str(number),
            "text": "Me too.",
            "user": {"id_str": "1", "screen_name": "one", "followers_count": 1, "verified": False},
            "entities": {"hashtags": []},
            "lang": "en",
            "timestamp_ms": str(created),
        }
    )


async def test_a_whole_day_arrives_once_and_in_order() -> None:
    lines = list(simulate(load_scenario("metoo-day"), posts=3000, seed=3))
    producer = FakeProducer()
    stats = await replay(lines, producer, "posts.raw")
    assert sorted(record.value for record in producer.sent) == sorted(lines)
    assert (stats.read, stats.sent, stats.blank) == (3000, 3000, 0)
    assert stats.bytes == sum(map(len, lines))
    order: dict[bytes, int] = {}
    for index, line in enumerate(lines):
        order.setdefault(line, index)  # a redelivery may be taken for the first delivery
    for partition in range(4):
        mine = [
            order[record.value]
            for record in producer.sent
            if record.partition == partition and record.key is not None
        ]
        first = list(dict.fromkeys(mine))
        assert first == sorted(first)


async def test_posts_are_keyed_by_uid_as_kafka_would() -> None:
    producer = FakeProducer(7)
    lines = [status(919660000000000000 + n, ROOT_MS + n) for n in range(50)]
    await replay(lines, producer, "posts.raw")
    for n, line in enumerate(lines):
        record = producer.by_value(line)
        assert record.key == b"x:%d" % (919660000000000000 + n)
        assert record.partition == partition_of(record.key, 7)
        assert record.timestamp == ROOT_MS + n


async def test_what_has_no_plausible_time_takes_the_one_before() -> None:
    old, far = status(2, 0), status(3, 253402300799000)
    lines = [status(1, ROOT_MS), b"no json", old, far, status(4, ROOT_MS - 5000), b"{"]
    producer = FakeProducer()
    stats = await replay(lines, producer, "posts.raw")
    assert producer.by_value(b"no json").timestamp == ROOT_MS
    assert producer.by_value(old).timestamp == ROOT_MS
    assert producer.by_value(far).timestamp == ROOT_MS
    assert producer.by_value(b"{").timestamp == ROOT_MS - 5000
    assert producer.by_value(b"no json").key is None
    assert producer.by_value(far).key == b"x:3"
    assert stats.event_time == ROOT_MS
    assert stats.unkeyed == 3


async def test_what_comes_before_the_first_plausible_time_takes_that() -> None:
    producer = FakeProducer()
    await replay([b"a", b"b", status(1, ROOT_MS)], producer, "posts.raw")
    assert [record.timestamp for record in producer.sent] == [ROOT_MS] * 3


async def test_without_any_plausible_time_nothing_is_lost() -> None:
    producer = FakeProducer()
    stats = await replay([b"a", b"b"], producer, "posts.raw")
    assert {record.value for record in producer.sent} == {b"a", b"b"}
    assert stats.sent == stats.unkeyed == 2


async def test_without_keys_records_take_turns() -> None:
    producer = FakeProducer(4)
    lines = [status(n, ROOT_MS + n) for n in range(1, 41)]
    await replay(lines, producer, "posts.raw", keyed=False)
    assert {record.key for record in producer.sent} == {None}
    for partition in range(4):
        assert sum(record.partition == partition for record in producer.sent) == 10


async def test_line_ends_and_keep_alives_are_not_sent() -> None:
    producer = FakeProducer()
    line = status(1, ROOT_MS)
    stats = await replay([line + b"\r\n", b"\r\n", b"\n"], producer, "posts.raw")
    assert [record.value for record in producer.sent] == [line]
    assert (stats.read, stats.sent, stats.blank) == (3, 1, 2)


async def test_an_asynchronous_source_and_progress() -> None:
    async def source() -> AsyncIterator[bytes]:
        for n in range(600):
            yield status(n + 1, ROOT_MS)

    seen: list[int] = []
    producer = FakeProducer()
    stats = await replay(source(), producer, "posts.raw", on_progress=lambda s: seen.append(s.sent))
    assert stats.sent == 600
    assert seen == sorted(seen)
    assert seen[-1] == 600


async def test_speed_waits_for_event_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count()
    now = 0.0
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        next(clock)
        slept.append(seconds)
        now += seconds

    monkeypatch.setattr("streams.ingest.eventtime.time.monotonic", lambda: now)
    monkeypatch.setattr("streams.ingest.replay.asyncio.sleep", sleep)
    producer = FakeProducer()
    reports: list[ReplayStats] = []
    lines = [status(1, ROOT_MS), status(2, ROOT_MS + 60_000), status(3, ROOT_MS + 30_000)]
    await replay(lines, producer, "posts.raw", speed=60, on_progress=reports.append)
    assert 0.9 < sum(slept) < 1.1
    assert len(producer.sent) == 3
    assert len(reports) >= 5


async def nothing() -> AsyncIterator[bytes]:
    for line in ():
        yield line


async def test_kafka_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMS_KAFKA__BROKERS", "127.0.0.1:1")
    monkeypatch.setenv("STREAMS_PRIVACY__AUTHOR_KEY", "0" * 32)
    with pytest.raises(UserError, match="does not answer"):
        await replay_stream(load_settings(None), nothing())
