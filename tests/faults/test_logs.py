"""What happens to the log itself: retention, a topic made anew, partitions added.

Slow (half a minute each): real workers are started again and again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition
from redis import Redis

from streams.config import RedisSettings
from streams.embedded import EmbeddedKafka, EmbeddedRedis
from streams.kafka import ensure_topics
from streams.keys import Layout
from streams.posts import Post, Unreadable, decode
from streams.reading import FUTURE_MS
from tests.faults import judge as witness
from tests.faults.feed import Feed
from tests.faults.scene import Scene, feeding, scene
from tests.faults.stage import BROKER

pytestmark = pytest.mark.slow
PARTITIONS = 2
POSTS = 2_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), properties=BROKER) as running:
        yield running


@pytest.fixture
def made(
    broker: EmbeddedKafka, redis_server: EmbeddedRedis, tmp_path: Path, unique: str
) -> Iterator[Scene]:
    """One worker on two partitions."""
    settings = RedisSettings(url=redis_server.url, prefix=f"{unique}:")

    def client() -> Redis:
        return Redis.from_url(redis_server.url)

    with scene(
        tmp_path,
        settings,
        broker.bootstrap,
        client,
        workers=1,
        partitions=PARTITIONS,
        name=unique,
    ) as running:
        yield running


def admin(made: Scene, work: Callable[[AIOKafkaAdminClient], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        client = AIOKafkaAdminClient(bootstrap_servers=made.bootstrap)
        await client.start()
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def readable(record: witness.Record) -> Post | None:
    try:
        post = decode(record.value)
    except Unreadable:
        return None
    if not isinstance(post, Post) or post.created_at > record.timestamp + FUTURE_MS:
        return None
    return post


def feed_all(made: Scene, seed: int) -> Feed:
    with feeding(made, posts=POSTS, seed=seed, seconds=0) as feed:
        pass
    return feed


def incidents(made: Scene, kind: str) -> list[dict[bytes, bytes]]:
    """Of one kind, of all partitions."""
    found: list[dict[bytes, bytes]] = []
    layout = Layout(made.settings.redis.prefix)
    with made.client() as redis:
        for partition in range(PARTITIONS):
            entries: Any = redis.xrange(layout.partition(made.topic, partition).incidents)
            found += [fields for _, fields in entries if fields[b"kind"] == kind.encode()]
    return found


def test_retention_passes_the_stored_offset(made: Scene) -> None:
    feed_all(made, 1)
    made.drain()
    (worker,) = made.workers
    worker.child.stop()
    before = witness.ends(made.bootstrap, made.topic)
    feed = feed_all(made, 2)
    gone = {p: end + 100 for p, end in before.items()}
    admin(
        made,
        lambda client: client.delete_records(
            {TopicPartition(made.topic, p): RecordsToDelete(at) for p, at in gone.items()}
        ),
    )
    worker.start()
    made.drain()
    told = incidents(made, "retention")
    assert sorted(int(fields[b"skipped"]) for fields in told) == [100] * PARTITIONS
    assert worker.metric("streams_incidents_total", 'kind="retention"') == PARTITIONS
    skipped = 100 * PARTITIONS
    assert made.totals()["posts"] == sum(before.values()) + feed.fed - skipped


@pytest.mark.parametrize("same", [True, False], ids=["the same posts", "other posts"])
def test_a_topic_deleted_and_made_again(made: Scene, same: bool) -> None:
    first = feed_all(made, 1)
    made.drain()
    before = made.totals()
    (worker,) = made.workers
    worker.child.stop()
    admin(made, lambda client: client.delete_topics([made.topic]))
    deadline = time.monotonic() + 30
    while made.topic in admin(made, lambda client: client.list_topics()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    asyncio.run(ensure_topics(made.settings.kafka))
    second = feed_all(made, 1 if same else 3)
    worker.start()
    made.drain()
    after = made.totals()
    if same:  # the last record counted stands where it stood: it is the same log
        assert after == before
        assert incidents(made, "new_log") == []
    else:
        assert after["posts"] == first.fed + second.fed
        assert len(incidents(made, "new_log")) == PARTITIONS
        assert worker.metric("streams_incidents_total", 'kind="new_log"') == PARTITIONS


def test_partitions_that_are_added_are_taken_up(made: Scene) -> None:
    feed_all(made, 1)
    made.drain()
    admin(made, lambda client: client.create_partitions({made.topic: NewPartitions(4)}))
    kafka = made.settings.kafka.model_copy(update={"partitions": 4})
    made.settings = made.settings.model_copy(update={"kafka": kafka})
    deadline = time.monotonic() + 30
    while len(witness.ends(made.bootstrap, made.topic)) < 4:
        assert time.monotonic() < deadline
    feed_all(made, 2)
    made.drain()  # without a restart
    log = witness.records(kafka, made.bootstrap, made.topic)
    counted, true = made.totals(), witness.fold(log, 90_000_000)
    # What can be counted twice: a post that comes again after the change, in another partition.
    # Posts that the scenario itself names are in both days.
    places = {(post.uid, record.partition) for record in log if (post := readable(record))}
    moved = len(places) - len({uid for uid, _ in places})
    assert 0 < moved < 5
    assert counted["counted"] == true["counted"] + moved
    assert counted["posts"] == len(log)
