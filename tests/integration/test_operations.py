"""What deploy/RUNBOOK.md tells an operator to do, done: a backup, a recount, a Cluster, partitions.

Slow (a quarter of a minute each): workers, and Redis servers of their own.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from redis import Redis, RedisCluster

from streams.embedded import EmbeddedKafka, EmbeddedRedis
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options, ensure_topics
from tests.benchmarks.services import Services, cluster
from tests.integration.pipeline import Pipeline

pytestmark = pytest.mark.slow

POSTS, RATE = 20_000, 4000.0
NewPipeline = Callable[..., Pipeline]


def with_redis(pipeline: Pipeline, **changes: Any) -> None:
    redis = pipeline.settings.redis.model_copy(update=changes)
    pipeline.settings = pipeline.settings.model_copy(update={"redis": redis})


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)


async def test_a_restored_backup_is_replayed_from(
    new_pipeline: NewPipeline, tmp_path: Path
) -> None:
    """A backup taken while posts are counted; then Redis and its disk are gone."""
    redis = EmbeddedRedis(tmp_path / "redis", appendonly=True)
    pipeline = new_pipeline("keyed")
    with_redis(pipeline, url=redis.url)
    more = asyncio.Event()
    backup = tmp_path / "backup.rdb"
    with redis:
        await ensure_topics(pipeline.settings.kafka)
        worker = pipeline.start_worker()
        feed = asyncio.create_task(pipeline.fill(POSTS, seed=6, rate=RATE, release=more))
        await pipeline.wait_for(4_000)
        with Redis.from_url(redis.url) as client:
            before = client.lastsave()
            client.bgsave()
            until(lambda: client.lastsave() != before or _saved(client))
        shutil.copyfile(redis.folder / "dump.rdb", backup)
        saved = await pipeline.posts()
        more.set()
        await feed
        assert await pipeline.wait_for(POSTS) == pipeline.truth
        assert saved < POSTS
        redis.kill()
    shutil.rmtree(redis.folder)
    # As the runbook says: first without AOF, because with it Redis would not read the RDB.
    redis.folder.mkdir()
    shutil.copyfile(backup, redis.folder / "dump.rdb")
    restored = EmbeddedRedis(redis.folder, port=redis.port)
    with restored, Redis.from_url(restored.url) as client:
        client.config_set("appendonly", "yes")
        until(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        assert worker.running
        assert await pipeline.wait_for(POSTS) == pipeline.truth
        await asyncio.sleep(1.1)  # fsync is once a second
        restored.kill()
    with EmbeddedRedis(redis.folder, port=redis.port, appendonly=True):
        assert await pipeline.wait_for(POSTS) == pipeline.truth


def _saved(client: Redis) -> bool:
    info: Any = client.info("persistence")
    return not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] == "ok"


async def test_a_day_is_counted_again_beside_the_first_count(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline("keyed")
    await pipeline.fill(5_000, seed=7)
    pipeline.start_worker()
    first = await pipeline.wait_for(5_000)
    with_redis(pipeline, prefix=f"again-{pipeline.settings.redis.prefix}")
    kafka = pipeline.settings.kafka
    other = kafka.model_copy(update={"group": f"{kafka.group}-again"})
    pipeline.settings = pipeline.settings.model_copy(update={"kafka": other})
    pipeline.start_worker()
    assert await pipeline.wait_for(5_000) == first == pipeline.truth


async def test_one_redis_becomes_a_cluster(
    new_pipeline: NewPipeline, kafka: EmbeddedKafka, tool: Callable[[str], str], tmp_path: Path
) -> None:
    """Workers are stopped, keys are copied, workers go on where they were."""
    cli = tool("redis-cli")
    pipeline = new_pipeline("keyed")
    more = asyncio.Event()
    await ensure_topics(pipeline.settings.kafka)
    with EmbeddedRedis(tmp_path / "old") as old:
        with_redis(pipeline, url=old.url)
        worker = pipeline.start_worker()
        feed = asyncio.create_task(pipeline.fill(POSTS, seed=8, rate=RATE, release=more))
        await pipeline.wait_for(4_000)
        assert await asyncio.to_thread(worker.stop, 15) == 0
        with cluster(Services(kafka.bootstrap, (old.url,), tmp_path)) as nodes:
            address = nodes.redis_url.removeprefix("redis://").removesuffix("/0")
            await asyncio.to_thread(
                subprocess.run,
                [
                    *(cli, "--cluster", "import", address, "--cluster-copy"),
                    *("--cluster-from", f"127.0.0.1:{old.port}"),
                ],
                check=True,
                timeout=120,
            )
            with Redis.from_url(old.url) as client:
                keys = client.dbsize()
            with nodes.client() as client:
                assert isinstance(client, RedisCluster)
                held = [node.redis_connection.dbsize() for node in client.get_primaries()]
                assert sum(held) == keys
            with_redis(pipeline, url=nodes.redis_url, cluster=True)
            pipeline.start_worker()
            more.set()
            await feed
            assert await pipeline.wait_for(POSTS) == pipeline.truth


async def test_the_raw_topic_gets_more_partitions(new_pipeline: NewPipeline) -> None:
    """In mode `any`: the keyed topic decides what is counted where, and it stays as it is."""
    pipeline = new_pipeline("any")
    day = simulate(load_scenario("metoo-day"), posts=POSTS, seed=11)
    lines = list(day)
    await ensure_topics(pipeline.settings.kafka)
    worker = pipeline.start_worker()
    await pipeline.send(lines[: POSTS // 2], keyed=False)
    raw = pipeline.settings.kafka.topics.raw
    admin = AIOKafkaAdminClient(**client_options(pipeline.settings.kafka))
    await admin.start()
    try:
        await admin.create_partitions({raw: NewPartitions(total_count=7)})
    finally:
        await admin.close()
    await pipeline.send(lines[POSTS // 2 :], keyed=False)
    # Clients look for new partitions every five minutes; who restarts one need not wait.
    worker.signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 15) == 0
    pipeline.start_worker()
    assert await pipeline.wait_for(POSTS) == day.truth.document()
    used = {record.partition for record in await pipeline.records(raw)}
    assert used == set(range(7))
