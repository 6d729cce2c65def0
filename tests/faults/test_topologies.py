"""Sentinel, Redis Cluster and three brokers, each with real processes, while posts flow.

Slow (a minute or two each): a failover takes seconds, and a quiet run follows each.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis, RedisCluster

from streams.config import RedisSettings
from streams.embedded import EmbeddedKafka, EmbeddedRedis
from streams.keys import Layout
from tests.faults.brokers import brokers
from tests.faults.judge import Verdict
from tests.faults.redis_cluster import redis_nodes
from tests.faults.scene import feeding, scene
from tests.faults.sentinels import SERVICE, sentinels
from tests.faults.stage import BROKER

pytestmark = pytest.mark.slow
EXACT = Verdict(0, 0, [])


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    with EmbeddedKafka(tmp_path_factory.mktemp("kafka"), properties=BROKER) as running:
        yield running


def test_failover_to_a_replica_that_is_behind(broker: EmbeddedKafka, tmp_path: Path) -> None:
    with sentinels(tmp_path) as redis:
        settings = RedisSettings(
            sentinels=redis.addresses, service=SERVICE, timeout=2.0, prefix="sentinel:"
        )

        def client() -> Redis:
            return Redis.from_url(redis.primary.url, socket_timeout=5)

        with scene(tmp_path, settings, broker.bootstrap, client, name="sentinel") as made:
            with feeding(made, posts=12_000, seed=5, seconds=30.0):
                time.sleep(5)
                redis.fail_over(behind=2.0)
                redis.fail_over(behind=1.0)
            made.drain()
            redis.fail_over(behind=0.5)  # and while nothing flows
            made.drain()
            assert made.verdict() == EXACT


def test_a_cluster_whose_slots_move_and_whose_master_dies(
    broker: EmbeddedKafka, tmp_path: Path
) -> None:
    dice = random.Random(6)
    with redis_nodes(tmp_path, masters=3, replicas=True) as nodes:
        settings = RedisSettings(url=nodes.url, cluster=True, timeout=2.0, prefix="cluster:")
        layout = Layout("cluster:")

        def client() -> RedisCluster:
            return RedisCluster.from_url(nodes.masters()[0].server.url, socket_timeout=5)

        with scene(tmp_path, settings, broker.bootstrap, client, name="cluster") as made:
            slots = [
                int(
                    nodes.nodes[0].command(
                        "CLUSTER", "KEYSLOT", layout.partition(made.topic, p).state
                    )
                )
                for p in range(made.settings.kafka.partitions)
            ]
            with feeding(made, posts=12_000, seed=6, seconds=40.0):
                for slot in slots:  # every partition moves, a few keys at a time
                    target = dice.choice([n for n in nodes.masters() if n is not nodes.owner(slot)])
                    nodes.move(slot, target, pause=0.05)
                victim = nodes.owner(slots[0])
                victim.server.kill()  # its replica takes over
                nodes.wait_until_covered(slots[0])
                victim.server.start()  # and it comes back as a replica
                nodes.wait_ok()
                for slot in slots[:2]:
                    target = dice.choice([n for n in nodes.masters() if n is not nodes.owner(slot)])
                    nodes.move(slot, target, pause=0.05)
            made.drain()
            assert made.verdict() == EXACT


def test_three_brokers_whose_leaders_and_coordinator_move(
    redis_server: EmbeddedRedis, tmp_path: Path
) -> None:
    """Each broker dies once, the group's coordinator and every partition's leader among them."""
    with brokers(tmp_path) as three:
        addresses = tuple(broker.bootstrap for broker in three)
        settings = RedisSettings(url=redis_server.url, prefix="brokers:", timeout=2.0)

        def client() -> Redis:
            return Redis.from_url(redis_server.url)

        with scene(
            tmp_path, settings, ",".join(addresses), client, replication=3, name="brokers"
        ) as made:
            with feeding(made, posts=4_000, seed=7, seconds=30.0):
                for broker in random.Random(7).sample(three, len(three)):
                    time.sleep(3)
                    broker.kill()
                    time.sleep(4)
                    broker.start()
            made.drain()
            assert made.verdict() == EXACT
