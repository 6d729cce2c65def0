"""The protocol of one partition, on a real Redis and a log in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from streams import campaigns, keys
from streams.classify import Classifier
from streams.deadletters import DeadLetterLimit
from streams.keys import Layout
from streams.partition import Partition
from streams.reading import Place, Rules
from streams.store.commit import PartitionStore
from streams.store.layout import LayoutError, migrate
from streams.store.reads import Reader as RedisReader
from streams.store.rules import applied
from streams.store.tombstones import deleted, tombstones
from streams.writing import BatchWriter
from tests.protocol.fakes import (
    START_MS,
    FakeLog,
    FakeObserver,
    FakeOutputs,
    FakeRecord,
    NoKinship,
    post,
    record,
)

RULES = Rules(author_key=b"0123456789abcdef", buckets=4)
CLASSIFIER = Classifier([campaigns.load("metoo")])
DAY_MS = 86_400_000


class Reader:
    """A worker's view of one partition: a partition, its log position and what it wrote."""

    def __init__(self, redis: Any, log: FakeLog, limits: DeadLetterLimit | None = None) -> None:
        self.log = log
        self.outputs = FakeOutputs()
        self.observer = FakeObserver()
        store = PartitionStore(redis, Layout("test:").partition("posts.raw", 0))
        self.partition = Partition(
            name="posts.raw:0",
            log=log,
            store=store,
            writer=BatchWriter(
                place=Place("posts.raw", 0),
                store=store,
                outputs=self.outputs,
                observer=self.observer,
                kinship=NoKinship(),
                rules=RULES,
            ),
            observer=self.observer,
            limits=limits or DeadLetterLimit(1000, 10_000, 0.5),
            classifier=lambda: CLASSIFIER,
            rules=RULES,
        )

    async def step(self, limit: int = 10) -> bool:
        """One fetch; False where there was nothing to fetch."""
        batch = self.log.fetch(limit)
        if batch is not None:
            await self.partition.deliver(batch)
        return batch is not None

    async def drain(self, limit: int = 10) -> None:
        """Fetch until nothing comes and nothing was changed by the watchdog."""
        while True:
            while await self.step(limit):
                pass
            epoch = self.log.epoch
            await self.partition.check()
            if self.log.epoch == epoch:
                return


async def counted(redis: Redis, field: str = "outcomes") -> dict[str, int]:
    """The sum over all generations."""
    totals: dict[str, int] = {}
    async for key in redis.scan_iter(f"test:*:g*:{field}"):
        for name, value in (await redis.hgetall(key)).items():
            text = name.decode().replace("\x1f", ":")
            totals[text] = totals.get(text, 0) + int(value)
    return totals


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


def posts(n: int, first: int = 0) -> list[FakeRecord]:
    return [record(first + i, post(first + i, f"Good morning #hello{i % 3}")) for i in range(n)]


async def test_counts_each_post_once(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(25)))
    await reader.drain()
    assert await counted(redis) == {"x:counted": 25}
    assert reader.partition.offset == 25
    assert await counted(redis, "tags") == {"hello0": 9, "hello1": 8, "hello2": 8}


async def test_a_redelivered_post_is_a_duplicate_within_and_across_batches(redis: Redis) -> None:
    log = FakeLog([record(i, post(i // 2)) for i in range(20)])
    log.records.append(record(20, post(0)))
    await Reader(redis, log).drain(7)
    assert await counted(redis) == {"x:counted": 10, "x:duplicate": 11}


async def test_a_batch_of_a_zombie_changes_nothing(redis: Redis) -> None:
    log = posts(30)
    old, new = Reader(redis, FakeLog(log)), Reader(redis, FakeLog(log))
    await old.step()  # loads
    await old.step()
    await new.drain()
    await old.drain()
    assert await counted(redis) == {"x:counted": 30}
    assert "moved" in old.observer.rejections


async def test_a_zombie_that_comes_back_knows_no_hour_by_itself(redis: Redis) -> None:
    """Both saw the same hour begin, and one of them wrote."""
    log = posts(1)
    old, new = Reader(redis, FakeLog(log)), Reader(redis, FakeLog(log))
    await old.drain()
    log.append(record(1, post(3600), at=START_MS + DAY_MS))
    await new.drain()
    assert await old.step()
    assert old.observer.rejections == ["moved"]
    log.append(record(2, post(3600), at=START_MS + DAY_MS))
    await old.drain()
    assert await counted(redis) == {"x:counted": 2, "x:duplicate": 1}


async def test_any_interleaving_of_two_workers_is_exact(redis: Redis) -> None:
    for seed in range(10):
        await redis.flushall()
        dice = random.Random(seed)
        log = posts(40)
        readers = [Reader(redis, FakeLog(log)) for _ in range(2)]
        for _ in range(30):
            reader = dice.choice(readers)
            await reader.step(dice.randint(1, 9))
            if dice.random() < 0.2:
                await reader.partition.check()
        for reader in readers:
            await reader.drain()
        assert await counted(redis) == {"x:counted": 40}, f"seed {seed}"


async def test_redis_that_went_back_in_time_is_replayed_also_on_an_idle_topic(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.step()
    await reader.step()
    older = {key: await redis.dump(key) for key in await redis.keys("*")}
    await reader.drain()
    await redis.flushall()
    for key, value in older.items():
        await redis.restore(key, 0, value)
    await reader.partition.check()
    assert "rolled_back" in reader.observer.rejections
    await reader.drain()
    assert await counted(redis) == {"x:counted": 20}


async def test_an_emptied_redis_is_filled_again(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.drain()
    await redis.flushall()
    await reader.drain()
    assert await counted(redis) == {"x:counted": 20}


async def test_a_lost_reply_does_not_count_twice(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.step()
    store = reader.partition._store
    commit = store.commit

    async def lossy(*args: Any) -> Any:
        await commit(*args)
        store.commit = commit  # type: ignore[method-assign]
        raise RedisConnectionError("the answer was lost")

    store.commit = lossy  # type: ignore[method-assign]
    await reader.drain()
    assert await counted(redis) == {"x:counted": 20}
    assert reader.observer.waits


async def test_a_lost_batch_is_fetched_again(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(30)))
    await reader.step()
    await reader.step()
    reader.log.fetch(10)  # cut from the log, never delivered
    await reader.drain()
    assert await counted(redis) == {"x:counted": 30}
    assert "lost_batch" in reader.observer.rejections


async def test_a_lost_batch_that_none_follows_is_missed_by_the_second_check(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.step()
    await reader.step()
    reader.log.fetch(20)  # cut from the log, never delivered, and the last one
    await reader.partition.check()  # it may be on its way
    assert reader.observer.rejections == []
    await reader.partition.check()
    assert reader.observer.rejections == ["lost_batch"]
    await reader.drain()
    assert await counted(redis) == {"x:counted": 20}


async def test_another_log_in_the_same_place_begins_a_new_generation(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.drain()
    other = Reader(redis, FakeLog([record(i, post(100 + i)) for i in range(30)]))
    await other.drain()
    assert [incident.kind for incident in other.observer.incidents] == ["new_log"]
    assert await counted(redis) == {"x:counted": 50}


async def test_a_shorter_log_in_the_same_place_begins_a_new_generation(redis: Redis) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.drain()
    other = Reader(redis, FakeLog([record(i, post(100 + i)) for i in range(5)]))
    await other.drain()
    assert [incident.kind for incident in other.observer.incidents] == ["new_log"]
    assert await counted(redis) == {"x:counted": 25}


async def test_what_retention_took_is_said_and_the_rest_is_exact(redis: Redis) -> None:
    log = posts(40)
    reader = Reader(redis, FakeLog(log[:10]))
    await reader.drain()
    later = Reader(redis, FakeLog(log[20:]))
    await later.drain()
    assert [(i.kind, i.facts["skipped"]) for i in later.observer.incidents] == [("retention", 10)]
    (stored,) = await redis.xrange("test:1:{posts.raw:0}:incidents")
    assert stored[1] == {b"kind": b"retention", b"offset": b"10", b"skipped": b"10"}
    assert await counted(redis) == {"x:counted": 30}


async def test_a_gap_that_compaction_left_is_accepted(redis: Redis) -> None:
    reader = Reader(redis, FakeLog([r for r in posts(30) if r.offset % 5]))
    await reader.drain(7)
    assert await counted(redis) == {"x:counted": 24}
    assert reader.observer.incidents == []


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{", "json"),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (post(1, at=START_MS + DAY_MS * 2), "future"),
    ],
)
async def test_a_record_that_cannot_be_read_is_a_dead_letter_and_its_neighbours_count(
    redis: Redis, value: bytes | None, reason: str | None
) -> None:
    log = posts(9)
    log[4] = record(4, value)
    reader = Reader(redis, FakeLog(log))
    await reader.drain()
    totals = await counted(redis)
    assert totals["x:counted"] == 8
    assert sum(n for name, n in totals.items() if name.endswith(":dead")) == 1
    assert reader.outputs.dead == [log[4]]
    if reason is not None:
        assert await counted(redis, "dead") == {reason: 1}


async def test_a_delete_leaves_a_tombstone_also_before_its_post(redis: Redis) -> None:
    uids = [f"x:{919_000_000_000_000_000 + n}" for n in range(4)]
    gone = b'{"delete":{"status":{"id_str":"%d"}}}'
    values = [
        *(post(0, "#MeToo"), gone % (919_000_000_000_000_000), post(1, "#MeToo")),
        *(gone % (919_000_000_000_000_002), post(2, "#MeToo"), post(3)),
    ]
    log = FakeLog([record(n, value) for n, value in enumerate(values)])
    reader = Reader(redis, log)
    await reader.drain(3)
    # A deleted post counts: it was spread.
    assert await counted(redis) == {"x:counted": 4, "x:ignored": 2}
    layout = Layout("test:")
    await redis.sadd(layout.partitions, "posts.raw:0")
    reads = RedisReader(redis, layout)
    assert await deleted(reads, [*uids, "x:1"]) == {uids[0], uids[2]}
    # Once the log no longer holds the first delete, the post cannot come again.
    keys = layout.partition("posts.raw", 0)
    bucket = next(iter(tombstones({uids[0]: 1})))
    await redis.hset(keys.live, "begin", 2)
    log.records.append(record(6, gone % (919_000_000_000_000_000)))
    await reader.drain(1)
    assert await redis.zscore(keys.gen(0).prefix + bucket, "x919000000000000000") == 6


async def test_a_hashtag_keeps_its_total_once_it_is_a_campaign_s(redis: Redis) -> None:
    day = 25 * 3_600_000 + 60_000
    log = FakeLog(posts(6))
    reader = Reader(redis, log)
    await reader.drain()
    tags = {"en": ["hello0"]}
    greeting = msgspec.structs.replace(campaigns.load("metoo"), name="greeting", hashtags=tags)
    both = Classifier([campaigns.load("metoo"), greeting])
    reader.partition._classifier = lambda: both
    log.records += [
        record(6, post(6, "Good morning #hello0")),
        record(7, post(7, "Good day", at=START_MS + day), at=START_MS + day),
        record(8, post(8, "Good night", at=START_MS + day + 1), at=START_MS + day + 1),
    ]
    await reader.drain()
    assert await counted(redis, "tags") == {"hello0": 3}, "the others' went, 25 h after their posts"


async def test_an_older_worker_stops_where_a_newer_layout_has_the_partition(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(redis, FakeLog(posts(20)))
    await reader.step()
    await reader.step()
    batch = reader.log.fetch(5)
    assert batch is not None
    before = await counted(redis)
    await redis.sadd(Layout("test:").partitions, "posts.raw:0")
    await migrate(redis, Layout("test:"), 1)
    with pytest.raises(LayoutError):
        await reader.partition.deliver(batch)
    assert reader.observer.rejections == ["moved"]
    monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
    assert await counted(redis) == before, "nothing was written after the move"
    newer = Reader(redis, reader.log)
    await newer.drain()
    assert (await counted(redis))["x:counted"] == 20


async def test_each_change_of_the_rules_notes_its_offset(redis: Redis) -> None:
    """Also the way back, as in the middle of a rolling update."""
    reader = Reader(redis, FakeLog(posts(60)))
    other = Classifier([msgspec.structs.replace(campaigns.load("metoo"), version="other")])
    await reader.step()
    for classifier in (CLASSIFIER, CLASSIFIER, other, CLASSIFIER, CLASSIFIER):
        reader.partition._classifier = lambda chosen=classifier: chosen  # type: ignore[misc]
        await reader.step()
    await redis.sadd(Layout("test:").partitions, "posts.raw:0")
    notes = await applied(RedisReader(redis, Layout("test:")))
    versions = [(note.offset, note.campaigns["metoo"].partition("+")[0]) for note in notes]
    shipped = campaigns.load("metoo").version
    assert versions == [(0, shipped), (20, "other"), (30, shipped)]
    assert {note.partition for note in notes} == {"posts.raw:0"}


async def test_late_posts_are_told_by_the_log_alone(redis: Redis) -> None:
    log = [
        record(0, post(0, at=START_MS), at=START_MS),
        record(1, post(1, at=START_MS + 26 * 3_600_000), at=START_MS + 26 * 3_600_000),
        record(2, post(2, at=START_MS + 100), at=START_MS + 26 * 3_600_000),
    ]
    for limit in (1, 2, 3):
        await redis.flushall()
        await Reader(redis, FakeLog(log)).drain(limit)
        assert await counted(redis) == {"x:counted": 2, "x:late": 1}


async def test_how_the_log_is_cut_into_batches_changes_nothing(redis: Redis) -> None:
    dice = random.Random(7)
    log = []
    for i in range(300):
        at = START_MS + i * 900_000 + dice.randint(-40, 40) * 3_600_000
        log.append(
            record(
                i,
                post(
                    dice.randint(0, 250),
                    f"Hello #tag{dice.randint(0, 5)} #metoo",
                    at=max(at, START_MS),
                ),
                at=START_MS + 10 * DAY_MS,
            )
        )
    seen = set()
    for limit in (1, 3, 17, 300):
        await redis.flushall()
        await Reader(redis, FakeLog(log)).drain(limit)
        state = [await counted(redis, name) for name in ("outcomes", "tags", "campaigns")]
        seen.add(str([sorted(part.items()) for part in state]))
    assert len(seen) == 1


async def test_above_the_dead_letter_limit_the_partition_pauses_and_writes_nothing_more(
    redis: Redis,
) -> None:
    log = posts(10) + [record(10 + i, b"{") for i in range(50)]
    reader = Reader(redis, FakeLog(log), DeadLetterLimit(20, 10_000, 0.5))
    await reader.drain(10)
    assert reader.partition.paused is not None
    assert "in a row" in reader.partition.paused
    assert await counted(redis) == {"x:counted": 10, "unknown:dead": 10}


async def test_forwarded_repeats_are_no_records_at_all(redis: Redis) -> None:
    def forwarded(offset: int, source: int, value: bytes) -> FakeRecord:
        headers = [("source-partition", b"3"), ("source-offset", b"%d" % source)]
        return FakeRecord(offset, START_MS + 1000 * source, b"k", value, headers)

    log = [forwarded(i, i, post(i)) for i in range(6)]
    log += [forwarded(6 + i, 3 + i, post(3 + i)) for i in range(6)]  # the forwarding died after 6
    log.append(forwarded(12, 9, b"{"))
    log.append(forwarded(13, 9, b"{"))
    for limit in (1, 5, 20):
        await redis.flushall()
        await Reader(redis, FakeLog(log)).drain(limit)
        assert await counted(redis) == {"x:counted": 9, "unknown:dead": 1}
