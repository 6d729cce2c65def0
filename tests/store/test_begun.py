"""What a worker knows by itself of hours that began in its hands, and what it still asks Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from streams import campaigns
from streams.aggregate import count
from streams.classify import Classifier
from streams.keys import Layout, PartitionKeys
from streams.reading import Reading, Rules, read
from streams.retention import HOUR_MS
from streams.store.begun import BegunHours
from streams.store.commit import Commit, Moved, PartitionStore
from tests.protocol.fakes import post, record

RULES = Rules(author_key=b"invented")
CLASSIFIER = Classifier([campaigns.load("metoo")])
#: Of `post`: one a second, from the beginning of an hour on.
NEXT_HOUR = 3600
TAG = "hello"


class Spied(PartitionStore):
    """A partition's store on a real Redis, which notes what it asks."""

    def __init__(self, redis: Any, keys: PartitionKeys) -> None:
        super().__init__(redis, keys)
        self.questions: list[tuple[int, int]] = []  # members, hashtags
        ask = self._seen

        async def noting(keys: Sequence[str], args: Sequence[Any]) -> Any:
            asked = msgspec.msgpack.decode(args[0])
            self.questions.append(
                tuple(sum(len(names) for _, names in asked[what]) for what in ("groups", "tags"))
            )
            return await ask(keys=keys, args=args)

        self._seen = noting


class Worker:
    """Writes batches of one partition, as `BatchWriter` does."""

    def __init__(self, redis: Any, keys: PartitionKeys) -> None:
        self.store = Spied(redis, keys)
        self.watermark: int | None = None
        self.offset: int | None = None

    async def load(self) -> None:
        state = await self.store.load()
        self.watermark, self.offset = state.watermark, state.offset
        self.store.forget()

    def read(self, *numbers: int) -> tuple[Reading, Commit]:
        first = self.offset or 0
        records = [
            record(first + n, post(number, f"Good morning #{TAG}"), at=1_600_000_000_000)
            for n, number in enumerate(numbers)
        ]
        reading = read(records, watermark=self.watermark, sources={}, rules=RULES)
        return reading, Commit(0, self.offset, first, first + len(records), 1, "-")

    async def write(self, *numbers: int) -> set[int]:
        """Which of these were counted before."""
        reading, position = self.read(*numbers)
        tags = {(TAG, one.created_at // HOUR_MS) for one in reading.posts}
        asked = await self.store.seen(position, reading, tags)
        assert asked.counts.keys() == tags
        result = count(
            reading, asked.known, classifier=CLASSIFIER, rules=RULES, before=Counter(asked.counts)
        )
        await self.store.commit(position, reading, result, CLASSIFIER.versions)
        self.watermark, self.offset = reading.watermark, position.offset
        return {numbers[index] for index in asked.known}


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def keys(unique: str) -> PartitionKeys:
    return Layout(f"{unique}:").partition("posts.raw", 0)


async def test_new_posts_of_an_hour_that_began_here_are_not_asked_for(
    redis: Redis, keys: PartitionKeys
) -> None:
    worker = Worker(redis, keys)
    for first in range(0, 500, 100):
        assert not await worker.write(*range(first, first + 100))
    assert worker.store.questions == []
    assert await redis.hget(keys.state, "offset") == b"500"


async def test_what_may_be_a_repeat_is_asked_for(redis: Redis, keys: PartitionKeys) -> None:
    worker = Worker(redis, keys)
    await worker.write(*range(100))
    assert await worker.write(7, 100, 8, 101) == {7, 8}
    assert worker.store.questions == [(2, 0)]


async def test_an_hour_that_began_elsewhere_is_asked_for_until_it_is_over(
    redis: Redis, keys: PartitionKeys
) -> None:
    await Worker(redis, keys).write(*range(100))
    worker = Worker(redis, keys)
    await worker.load()
    assert await worker.write(99, 100, 101) == {99}
    assert await worker.write(102) == set()
    assert worker.store.questions == [(3, 1), (1, 1)]
    assert not await worker.write(NEXT_HOUR, NEXT_HOUR + 1)
    assert not await worker.write(NEXT_HOUR + 2)
    assert worker.store.questions == [(3, 1), (1, 1)]


async def test_an_older_hour_is_asked_for(redis: Redis, keys: PartitionKeys) -> None:
    worker = Worker(redis, keys)
    for hour in range(5):
        await worker.write(hour * NEXT_HOUR)
    assert await worker.write(0, 1, 4 * NEXT_HOUR + 1) == {0}
    assert worker.store.questions == [(2, 1)]


async def test_forgotten_hashtags_are_asked_for(redis: Redis, keys: PartitionKeys) -> None:
    worker = Worker(redis, keys)
    await worker.write(0)
    worker.store.forget_tags()
    await worker.write(1)
    assert worker.store.questions == [(0, 1)]


async def test_a_batch_that_is_tried_again_asks_where_it_stands(
    redis: Redis, keys: PartitionKeys
) -> None:
    """Its commit may have been done, and only the answer been lost."""
    worker = Worker(redis, keys)
    await worker.write(0)
    reading, position = worker.read(1, 2)
    assert not (await worker.store.seen(position, reading, ())).known
    await redis.hset(keys.state, "offset", position.offset)
    with pytest.raises(Moved):
        await worker.store.seen(position, reading, ())
    assert worker.store.questions == [(0, 0)]


async def test_what_another_worker_counted_meanwhile_is_asked_for(
    redis: Redis, keys: PartitionKeys
) -> None:
    """Both believed that the hour began in their hands."""
    slow = Worker(redis, keys)
    reading, position = slow.read(0, 1)
    asked = await slow.store.seen(position, reading, ())
    result = count(reading, asked.known, classifier=CLASSIFIER, rules=RULES, before=Counter())
    await Worker(redis, keys).write(0, 1, 2)
    with pytest.raises(Moved):
        await slow.store.commit(position, reading, result, CLASSIFIER.versions)
    await slow.load()
    assert await slow.write(2, 0, 3) == {2, 0}


hours = st.integers(0, 9)
batches = st.lists(st.tuples(hours, st.lists(st.integers(0, 30), max_size=8)), max_size=30)


@given(batches)
def test_what_was_written_is_never_taken_for_new(steps: list[tuple[int, list[int]]]) -> None:
    begun, written, watermark = BegunHours(), set(), -1
    for hour, numbers in steps:
        members = [str(number) for number in dict.fromkeys(numbers)]
        begun.begin([hour], watermark)
        unsure = {members[n] for n in begun.unsure(hour, members, list(range(len(members))))}
        assert {m for m in members if (hour, m) in written} <= unsure
        begun.written({hour: ["set"]}, {"set": members})
        written |= {(hour, member) for member in members}
        watermark = max(watermark, hour * HOUR_MS)
