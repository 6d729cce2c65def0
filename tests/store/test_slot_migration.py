"""A batch while its slot moves to another node of a Redis Cluster: all of it, or nothing.

A script that meets a key that has left for another node stops there, and what it wrote before stays
written; on the new node, a key that has not come yet looks like one that never was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from streams.aggregate import count
from streams.campaigns import load
from streams.classify import Classifier
from streams.inheritance import NOTHING
from streams.keys import Layout
from streams.reading import Reading, Rules, read
from streams.store.commit import Commit, PartitionStore
from tests.faults.redis_cluster import Node, RedisNodes, redis_nodes
from tests.protocol.fakes import post, record

RULES = Rules(author_key=b"0123456789abcdef", buckets=4)
CLASSIFIER = Classifier([load("metoo")])
KEYS = Layout("move:").partition("posts.raw", 0)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisNodes]:
    with redis_nodes(tmp_path_factory.mktemp("cluster"), masters=2) as running:
        yield running


@pytest.fixture
async def redis(nodes: RedisNodes) -> AsyncIterator[RedisCluster]:
    client = RedisCluster.from_url(nodes.url)
    await client.flushall(target_nodes=RedisCluster.PRIMARIES)
    yield client
    await client.aclose()


def batch(first: int, last: int) -> Reading:
    records = [record(n, post(n, f"Me too. #metoo #hello{n % 3}")) for n in range(first, last)]
    return read(records, watermark=None, sources={}, rules=RULES)


def position(reading: Reading, expect: int | None) -> Commit:
    return Commit(0, expect, reading.first, reading.last + 1, 1, "-")


async def seen(store: PartitionStore, reading: Reading, expect: int | None) -> set[int]:
    return (await store.seen(position(reading, expect), reading, [("hello0", 418_906)])).known


async def commit(
    store: PartitionStore, reading: Reading, expect: int | None, known: set[int]
) -> None:
    result = count(
        reading,
        known,
        classifier=CLASSIFIER,
        rules=RULES,
        before=Counter(),
        inherited=NOTHING,
    )
    await store.commit(position(reading, expect), reading, result, CLASSIFIER.versions)


async def write(store: PartitionStore, reading: Reading, expect: int | None) -> set[int]:
    known = await seen(store, reading, expect)
    await commit(store, reading, expect, known)
    return known


def moving(nodes: RedisNodes) -> tuple[int, Node, Node, list[bytes]]:
    """The partition's slot begins to move: slot, source, target, keys (its state last)."""
    slot = int(nodes.nodes[0].command("CLUSTER", "KEYSLOT", KEYS.state))
    source = nodes.owner(slot)
    target = next(node for node in nodes.masters() if node is not source)
    keys = sorted(source.command("CLUSTER", "GETKEYSINSLOT", slot, 1000))
    keys.sort(key=lambda key: key == KEYS.state.encode())
    nodes.begin_move(slot, source, target)
    return slot, source, target, keys


async def counted(redis: RedisCluster) -> int:
    found = await redis.hgetall(KEYS.gen(0).outcomes)
    return sum(int(n) for n in found.values())


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
async def test_a_commit_in_the_middle_of_a_move(
    nodes: RedisNodes, redis: RedisCluster, share: float
) -> None:
    store = PartitionStore(redis, KEYS)
    await write(store, batch(0, 50), None)
    known = await seen(store, batch(50, 80), 50)
    slot, source, target, keys = moving(nodes)
    here = int(len(keys) * share)
    nodes.move_keys(source, target, keys[:here])
    with pytest.raises(RedisError):
        await commit(store, batch(50, 80), 50, known)
    nodes.move_keys(source, target, keys[here:])
    nodes.end_move(slot, target)
    assert await counted(redis) == 50
    assert not any(await write(store, batch(50, 80), 50))
    assert await counted(redis) == 80


async def test_a_commit_that_is_ahead_of_its_keys(nodes: RedisNodes, redis: RedisCluster) -> None:
    """The state is on the new node already, and nothing else."""
    store = PartitionStore(redis, KEYS)
    await write(store, batch(0, 50), None)
    known = await seen(store, batch(50, 80), 50)
    slot, source, target, keys = moving(nodes)
    nodes.move_keys(source, target, [KEYS.state.encode()])
    with pytest.raises(RedisError):
        await commit(store, batch(50, 80), 50, known)
    nodes.move_keys(source, target, keys[:-1])
    nodes.end_move(slot, target)
    assert await counted(redis) == 50


async def test_uids_that_have_not_come_yet_are_not_new(
    nodes: RedisNodes, redis: RedisCluster
) -> None:
    store = PartitionStore(redis, KEYS)
    await write(store, batch(0, 50), None)
    slot, source, target, keys = moving(nodes)
    nodes.move_keys(source, target, [KEYS.state.encode()])
    with pytest.raises(RedisError):
        await seen(store, batch(0, 50), 50)
    nodes.move_keys(source, target, keys[:-1])
    nodes.end_move(slot, target)
    assert await seen(store, batch(0, 50), 50) == set(range(50))
