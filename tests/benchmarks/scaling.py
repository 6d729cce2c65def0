"""Does it scale?  Posts/s and CPU as workers and partitions grow, on one Redis and on a Cluster.

    python -m tests.benchmarks.scaling [--posts N] [--workers 1 2 4] [--partitions 8 64]
                                       [--no-cluster]

The workers share out the partitions first; then all posts become readable at once, as one
transaction.  Where the machine has fewer cores than there are processes, posts/s cannot grow: then
CPU-seconds a million posts must stay flat.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from itertools import product
from typing import Any, Final, NamedTuple

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.config import KafkaSettings
from streams.embedded import Child
from streams.errors import UserError
from streams.kafka import client_options, ensure_topics
from tests.benchmarks.firehose import PAYLOADS, Firehose, Line
from tests.benchmarks.measure import Run, redis_cpu, tree_cpu
from tests.benchmarks.services import Services, cluster, entry, say, services
from tests.benchmarks.streams_worker import correct, follow, process, totals
from tests.benchmarks.topics import Topic, hidden, remove

_SHARED_SECONDS: Final = 90.0
_QUIET_SECONDS: Final = 2.0  # so long the group has to stand still


class Point(NamedTuple):
    """One line of the table."""

    redis: str
    partitions: int
    workers: int
    run: Run


async def measure(
    running: Services, lines: Sequence[Line], truth: dict[str, Any], partitions: int, workers: int
) -> Run:
    """Start workers, let the posts appear, and wait until all are counted."""
    name = f"scaling-{time.monotonic_ns()}"
    settings = running.settings(name, raw=f"{name}.raw", partitions=partitions)
    kafka = settings.kafka
    await ensure_topics(kafka)
    topic = Topic(kafka.topics.raw, partitions, len(lines), 0, truth)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Redis.from_url(url)) for url in running.redis_urls]
        for node in nodes:
            node.flushall()
        async with AsyncExitStack() as transaction:
            await transaction.enter_async_context(hidden(kafka, lines))
            children = [
                stack.enter_context(process(running, settings, number)) for number in range(workers)
            ]
            await _shared_out(kafka, children)
            pids = [child.pid for child in children]
            cpu, redis_before = tree_cpu(pids), sum(map(redis_cpu, nodes))
            began = time.perf_counter()
        client = stack.enter_context(running.client())
        rss = await asyncio.to_thread(follow, children, client, settings, topic)
        run = Run(
            posts=topic.posts,
            seconds=time.perf_counter() - began,
            cpu_seconds=tree_cpu(pids) - cpu,
            redis_cpu_seconds=sum(map(redis_cpu, nodes)) - redis_before,
            rss_mb=rss,
            exact=correct(await totals(settings), topic),
        )
    topics = kafka.topics
    await remove(kafka, (topics.raw, topics.classified, topics.dead, topics.keyed))
    return run


async def _shared_out(kafka: KafkaSettings, workers: Sequence[Child]) -> None:
    """Wait until every worker is a member of the group and nothing moves any more."""
    admin = AIOKafkaAdminClient(**client_options(kafka))
    await admin.start()
    try:
        since, deadline = None, time.monotonic() + _SHARED_SECONDS
        while since is None or time.monotonic() - since < _QUIET_SECONDS:
            ended = [worker for worker in workers if not worker.running]
            if ended or time.monotonic() > deadline:
                worker = (ended or list(workers))[0]
                raise UserError(f"the workers do not share the partitions: {worker.log_tail(5)}")
            state, members = await _group(admin, kafka.group)
            if state != "Stable" or members != len(workers):
                since = None
            elif since is None:
                since = time.monotonic()
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def _group(admin: AIOKafkaAdminClient, group: str) -> tuple[str, int]:
    """State and number of members of a consumer group."""
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    except KafkaError:  # nobody has asked for the group's coordinator yet
        return "unknown", 0
    described: Any = answer
    _, _, state, _, _, members, *_ = described.groups[0]
    return str(state), len(members)


def show(points: Sequence[Point]) -> None:
    """The table; efficiency is posts/s, against that of one worker times their number."""
    table = Table(
        *("Redis", "partitions", "workers", "posts/s", "efficiency", "CPU-s/M of the workers"),
        *("Redis CPU-s/M", "MiB", "exact"),
        box=None,
    )
    for column in table.columns[1:-1]:
        column.justify = "right"
    single = {
        (point.redis, point.partitions): point.run.per_second
        for point in points
        if point.workers == 1
    }
    for redis, partitions, workers, run in points:
        alone = single.get((redis, partitions))
        table.add_row(
            redis,
            str(partitions),
            str(workers),
            f"{run.per_second:,.0f}",
            "" if alone is None else f"{run.per_second / (alone * workers):.0%}",
            f"{run.cpu_seconds / run.posts * 1e6:.1f}",
            f"{(run.redis_cpu_seconds or 0) / run.posts * 1e6:.2f}",
            f"{run.rss_mb:,.0f}",
            "yes" if run.exact else "NO",
        )
    console = Console(width=120)
    console.print(table)
    console.print(f"{psutil.cpu_count()} cores for Kafka, Redis and the workers together")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a count was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=300_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--partitions", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--no-cluster", action="store_true", help="one Redis alone")
    given = parser.parse_args(arguments)
    firehose = Firehose(PAYLOADS["compact-v2"], given.posts, share=0.05)
    lines = list(firehose)
    truth = firehose.document()
    points: list[Point] = []
    with services() as running, ExitStack() as stack:
        backends = {"one": running}
        if not given.no_cluster:
            backends["3 nodes"] = stack.enter_context(cluster(running))
        for (name, backend), partitions, workers in product(
            backends.items(), given.partitions, given.workers
        ):
            run = asyncio.run(measure(backend, lines, truth, partitions, workers))
            points.append(Point(name, partitions, workers, run))
            say(f"{name}, {partitions} partitions, {workers} workers: {run.per_second:,.0f}/s")
    show(points)
    return int(not all(point.run.exact for point in points))


if __name__ == "__main__":
    raise SystemExit(entry(main))
