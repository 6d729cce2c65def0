"""This pipeline as it ships: real workers, nothing switched off, counts compared with the truth."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, Final

from redis import Redis, RedisCluster

from streams.config import Settings
from streams.counts import total_document
from streams.demo.compare import compare
from streams.embedded import Child
from streams.errors import UserError
from streams.kafka import ensure_topics
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.reads import Reader
from tests.benchmarks.measure import Run, redis_cpu, tree_cpu, tree_rss
from tests.benchmarks.services import Services, environment, say
from tests.benchmarks.topics import Topic, remove

_ASSIGNED_SECONDS: Final = 60.0
_STALLED_SECONDS: Final = 60.0  # without any progress
_FAST: Final = 0.005  # between two looks while a worker starts
_SLOW: Final = 0.05  # and while it works


def run(services: Services, topic: Topic, *, mode: str = "keyed", name: str = "") -> Run:
    """One worker over the whole topic, on an empty Redis.

    Time and CPU are taken from the worker's first assignment, which it notes in Redis before it
    looks at any record, until the last record is committed; so its start does not count (a second
    of imports), and everything that it does for the records does.
    """
    name = name or f"bench-{time.monotonic_ns()}"
    settings = services.settings(name, raw=topic.name, mode=mode, partitions=topic.partitions)
    asyncio.run(ensure_topics(settings.kafka))
    with Redis.from_url(services.redis_url) as redis, ExitStack() as stack:
        redis.flushall()
        worker = stack.enter_context(process(services, settings))
        until_assigned(worker, redis, settings)
        began, cpu, redis_before = time.perf_counter(), tree_cpu([worker.pid]), redis_cpu(redis)
        rss = follow([worker], redis, settings, topic)
        done = Run(
            posts=topic.posts,
            seconds=time.perf_counter() - began,
            cpu_seconds=tree_cpu([worker.pid]) - cpu,
            redis_cpu_seconds=redis_cpu(redis) - redis_before,
            rss_mb=rss,
            exact=correct(asyncio.run(totals(settings)), topic),
        )
    topics = settings.kafka.topics
    asyncio.run(remove(settings.kafka, (topics.keyed, topics.classified, topics.dead)))
    return done


def process(services: Services, settings: Settings, number: int = 0, **environ: str) -> Child:
    """A worker process, to be started and ended by `with`; `environ` stands above the settings."""
    return Child(
        f"worker {number}",
        [sys.executable, "-m", "streams", "worker"],
        log=services.folder / f"{settings.kafka.group}-{number}.log",
        env={**environment(settings), **environ},
        cwd=services.folder,  # a streams.toml beside the benchmark is not read
    )


def follow(
    workers: Sequence[Child], redis: Redis | RedisCluster, settings: Settings, topic: Topic
) -> float:
    """Wait until everything is committed; the highest resident MiB seen of all workers together.

    Raises `UserError` where a worker ends or nothing moves any more.
    """
    pids = [worker.pid for worker in workers]
    rss, last, moved = 0.0, -1, time.monotonic()
    while (done := committed(redis, settings, topic)) < topic.posts:
        rss = max(rss, tree_rss(pids))
        if done != last:
            last, moved = done, time.monotonic()
        ended = [worker for worker in workers if not worker.running]
        if ended or time.monotonic() - moved > _STALLED_SECONDS:
            worker = (ended or list(workers))[0]
            raise UserError(f"{done} of {topic.posts} posts counted: {worker.log_tail(5)}")
        time.sleep(_SLOW)
    return max(rss, tree_rss(pids))


def committed(redis: Redis | RedisCluster, settings: Settings, topic: Topic) -> int:
    """Records of the counted topic that are in the totals: the sum of the stored offsets.

    In mode `any` the keyed topic holds as many records as the raw one, as long as no batch had to
    be forwarded twice; markers of transactions take an offset each, too.
    """
    kafka = settings.kafka
    counted = kafka.topics.keyed if kafka.input == "any" else kafka.topics.raw
    layout = Layout(settings.redis.prefix)
    pipeline = redis.pipeline(transaction=False)
    for partition in range(topic.partitions):
        pipeline.hget(layout.partition(counted, partition).state, "offset")
    return sum(int(offset or 0) for offset in pipeline.execute())


def until_assigned(worker: Child, redis: Redis, settings: Settings) -> None:
    """Wait until the worker has its partitions; it has looked at no record then."""
    key = Layout(settings.redis.prefix).partitions
    deadline = time.monotonic() + _ASSIGNED_SECONDS
    while not redis.exists(key):
        if not worker.running or time.monotonic() > deadline:
            raise UserError(f"the worker got no partitions: {worker.log_tail(5)}")
        time.sleep(_FAST)


def correct(counted: dict[str, Any], topic: Topic) -> bool:
    """Whether every number is the true one; those that are not are told.

    Of stances the sum alone is compared: which one a post has is a judgement, and how good it is
    is not for a benchmark to say.
    """
    ours, true = _without_stances(counted), _without_stances(topic.truth)
    for row in compare(ours, true):
        if row.difference:
            say(f"  {row.group} {row.name}: counted {row.counted:,}, true are {row.true:,}")
    return ours == true


def _without_stances(document: dict[str, Any]) -> dict[str, Any]:
    campaigns = {
        name: {**counts, "stance": {"any": sum(counts["stance"].values())}}
        for name, counts in document["campaigns"].items()
    }
    return {**document, "campaigns": campaigns}


async def totals(settings: Settings) -> dict[str, Any]:
    """The document of all totals, as `streams counts --total --json` prints it."""
    redis = connect(settings.redis, retries=2)
    try:
        return await total_document(Reader(redis, Layout(settings.redis.prefix)))
    finally:
        await redis.aclose()
