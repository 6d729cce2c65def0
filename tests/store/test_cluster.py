"""The same reads on a Redis Cluster of two nodes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis, RedisCluster

from streams import keys
from streams.config import RedisSettings
from streams.embedded import EmbeddedRedis
from streams.exporter.exposition import Exposition
from streams.exporter.minutely import Minutely
from streams.exporter.watch import Watch
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.events import EventStore
from streams.store.layout import take
from streams.store.reads import Reader
from tests.filled import Filled

T = 1_508_158_800
SLOTS = 16_384


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("cluster")
    options = {"cluster-enabled": "yes"}
    with (
        EmbeddedRedis(folder / "a", options=options) as one,
        EmbeddedRedis(folder / "b", options=options) as other,
        Redis.from_url(one.url) as first,
        Redis.from_url(other.url) as second,
    ):
        first.execute_command("CLUSTER ADDSLOTS", *range(SLOTS // 2))
        second.execute_command("CLUSTER ADDSLOTS", *range(SLOTS // 2, SLOTS))
        first.execute_command("CLUSTER MEET", "127.0.0.1", other.port)
        end = time.monotonic() + 30
        while any(b"cluster_state:ok" not in raw_info(node) for node in (first, second)):
            assert time.monotonic() < end, "the cluster does not form"
            time.sleep(0.1)
        yield one.url


def raw_info(node: Redis) -> bytes:
    answer = node.execute_command("CLUSTER INFO")
    if isinstance(answer, dict):
        return f"cluster_state:{answer.get('cluster_state')}".encode()
    return answer if isinstance(answer, bytes) else str(answer).encode()


async def test_partitions_on_both_nodes_are_added_up(cluster_url: str, unique: str) -> None:
    filled = Filled.__new__(Filled)
    filled.redis = RedisCluster.from_url(cluster_url)
    filled.layout, filled.topic = Layout(f"{unique}:"), "posts.raw"
    for number in range(8):
        filled.partition(number, watermark=T)
        filled.outcome(number, "counted", 1)
        filled.campaign(number, T - 30, 1)
        filled.tag(number, "metoo", T - 30, 1)
        filled.authors(number, "c\x1fmetoo", T - 65, [f"a{number}", "b"])
    client = connect(RedisSettings(url=cluster_url, cluster=True), retries=2)
    try:
        reader = Reader(client, filled.layout)
        await reader.ping()
        totals = await reader.totals()
        assert totals.outcomes.total() == 8
        assert dict(totals.hashtags) == {"metoo": 8}
        exposition = Exposition()
        for _ in range(2):
            snapshot = await Watch(reader, exposition, clock="replay").read()
        view = snapshot.campaigns["metoo"].view
        assert (view.posts["1m"], view.authors["1h"]) == (8, 9)
        assert snapshot.hashtags["metoo"].total == 8
        memory = await reader.memory()
        assert len(memory) == 2
        assert all(used > 0 for used, _ in memory.values())
        insight = await Minutely(reader, EventStore(client, filled.layout)).step(snapshot)
        assert insight is not None
        assert insight.events["metoo", "platform"] == 1
    finally:
        await client.aclose()
        filled.redis.close()


async def test_a_newer_layout_takes_over_on_both_nodes(
    cluster_url: str, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = Filled.__new__(Filled)
    filled.redis = RedisCluster.from_url(cluster_url)
    filled.layout, filled.topic = Layout(f"{unique}:"), "posts.raw"
    for number in range(8):
        filled.partition(number, watermark=T)
        filled.outcome(number, "counted", number)
    redis = connect(RedisSettings(url=cluster_url, cluster=True))
    try:
        await take(redis, filled.layout)
        before = await Reader(redis, filled.layout).totals()
        monkeypatch.setattr(keys, "LAYOUT_VERSION", 2)
        await take(redis, filled.layout)
        assert await Reader(redis, filled.layout).totals() == before
        assert before.outcomes.total() == sum(range(8))
    finally:
        await redis.aclose()
        filled.redis.close()
