"""From the produce of a post to its being readable in the total, at parts of the top rate.

    python -m tests.benchmarks.latency [--seconds 40] [--top RATE] [--shares 0.1 0.5 0.9]

The top rate is what one worker makes of a topic that is full (or `--top`, posts/s).  A post is
readable when the partition's offset in Redis has passed it, because one script moves the offset and
adds to the totals; that is looked at every five milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple, TypeAlias

from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.config import Settings
from streams.embedded import Child
from streams.errors import UserError
from streams.kafka import ensure_topics
from streams.keys import Layout
from tests.benchmarks import streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.pacing import Sent
from tests.benchmarks.services import Services, entry, environment, say, services
from tests.benchmarks.topics import fill, remove

_LOOK_SECONDS: Final = 0.005
#: At the beginning of a load, not measured: a broker that was just started compiles itself, on half
#: a core, and makes p50 and p99 half as long again.
_WARM_SECONDS: Final = 15.0
_TOP_POSTS: Final = 200_000
_MOST_POSTS: Final = 1_500_000  # of one load: it has them in memory before it begins
_PATIENCE_SECONDS: Final = 60.0


#: Seconds and how many posts took so long, ascending.
Latencies: TypeAlias = list[tuple[float, int]]


class Seen(NamedTuple):
    """When (monotonic clock, s) which offset was readable, ascending, of one partition."""

    times: list[float]
    offsets: list[int]


def top_rate(running: Services, posts: int = _TOP_POSTS) -> float:
    """Posts a second that one worker makes of a full topic."""
    kafka = running.settings("fill", raw="posts.full").kafka
    firehose = Firehose(PAYLOADS["compact-v2"], posts, share=0.05)
    topic = asyncio.run(fill(kafka, firehose))
    rate = streams_worker.run(running, topic).per_second
    asyncio.run(remove(kafka, [topic.name]))
    return rate


def measure(running: Services, rate: float, seconds: float) -> tuple[Latencies, float]:
    """The latencies, and the rate that was really sent (posts/s)."""
    name = f"latency-{time.monotonic_ns()}"
    settings = running.settings(name, raw=f"{name}.raw")
    kafka = settings.kafka
    asyncio.run(ensure_topics(kafka))
    with Redis.from_url(running.redis_url) as redis, ExitStack() as stack:
        redis.flushall()
        worker = stack.enter_context(streams_worker.process(running, settings))
        streams_worker.until_assigned(worker, redis, settings)
        load = Child(
            "load",
            [
                *(sys.executable, "-m", "tests.benchmarks.pacing", running.bootstrap),
                *(kafka.topics.raw, str(kafka.partitions), str(rate), str(seconds)),
            ],
            log=running.folder / f"{name}.log",
            env=environment(settings),
            cwd=running.folder,
        )
        with load:
            seen = look(redis, settings, load, int(rate * seconds))
            status = load.wait(_PATIENCE_SECONDS)
        if status != 0:
            raise UserError(f"the load failed: {load.log_tail(5)}")
        sent: list[Sent] = json.loads(load.log.read_text().splitlines()[-1])
    begun = min(at for *_, at in sent)
    sending = max(at for *_, at in sent) - begun
    warm = [one for one in sent if one[3] - begun >= _WARM_SECONDS]
    return latencies(warm, seen), sum(records for _, _, records, _ in sent) / sending


def look(redis: Redis, settings: Settings, load: Child, posts: int) -> list[Seen]:
    """Follow the offsets until all posts are readable."""
    layout, kafka = Layout(settings.redis.prefix), settings.kafka
    states = [layout.partition(kafka.topics.raw, p).state for p in range(kafka.partitions)]
    seen = [Seen([], []) for _ in states]
    deadline = None
    while sum(one.offsets[-1] for one in seen if one.offsets) < posts:
        pipeline = redis.pipeline(transaction=False)
        for state in states:
            pipeline.hget(state, "offset")
        offsets = pipeline.execute()
        now = time.monotonic()
        for one, offset in zip(seen, offsets, strict=True):
            if offset is not None and (not one.offsets or int(offset) > one.offsets[-1]):
                one.times.append(now)
                one.offsets.append(int(offset))
        if deadline is None and not load.running:
            deadline = now + _PATIENCE_SECONDS
        if deadline is not None and now > deadline:
            raise UserError(f"the worker does not catch up; the load says: {load.log_tail(3)}")
        time.sleep(_LOOK_SECONDS)
    return seen


def latencies(sent: Sequence[Sent], seen: Sequence[Seen]) -> Latencies:
    """Each part of a batch at the first look that found it readable."""
    found: Latencies = []
    for partition, first, records, at in sent:
        times, offsets = seen[partition]
        low, end = first, first + records
        while low < end:
            # An offset is the next one to count: `low` is readable once it is greater.
            index = bisect_right(offsets, low)
            high = min(end, offsets[index])
            found.append((times[index] - at, high - low))
            low = high
    return sorted(found)


def quantile(found: Latencies, share: float) -> float:
    """The latency that `share` (0-1) of the posts do not exceed, s."""
    rank = share * sum(posts for _, posts in found)
    passed = 0
    for seconds, posts in found:
        passed += posts
        if passed >= rank:
            return seconds
    return found[-1][0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds",
        type=float,
        default=40.0,
        help="of load at each rate, of 1.5 million posts at most: the first 15 s are not measured",
    )
    parser.add_argument("--top", type=float, default=None, help="posts/s")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.5, 0.9])
    given = parser.parse_args(arguments)
    table = Table("of the top rate", "posts/s sent", "p50 ms", "p99 ms", "p99.9 ms", box=None)
    for column in table.columns:
        column.justify = "right"
    with services() as running:
        top = given.top or top_rate(running)
        say(f"top rate: {top:,.0f} posts/s")
        for share in given.shares:
            seconds = min(given.seconds, _MOST_POSTS / (top * share))
            found, rate = measure(running, top * share, seconds)
            quantiles = [f"{quantile(found, q) * 1000:.0f}" for q in (0.5, 0.99, 0.999)]
            table.add_row(f"{share:.0%}", f"{rate:,.0f}", *quantiles)
            say(f"{share:.0%}: p50, p99, p99.9 in ms: {', '.join(quantiles)}")
    Console(width=100).print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(entry(main))
