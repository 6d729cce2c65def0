"""What it costs to keep the newest posts: CPU of worker and Redis a million posts, and memory.

    python -m tests.benchmarks.keep_cost [--posts 200000] [--share 0.05 1]

The two steps and two calls of each batch on a Redis of its own, no Kafka; 5 % and all of the posts
belong to a campaign.  Best of so many rounds of each kind, taken in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from streams.aggregate import count, tag_hours
from streams.campaigns import load
from streams.classify import Classifier
from streams.embedded import EmbeddedRedis
from streams.kept import Keeping
from streams.keys import Layout
from streams.reading import Rules, read
from streams.store.commit import Commit, PartitionStore
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.protocol.fakes import FakeRecord

_PARTITIONS: Final = 8
_BATCH: Final = 4_000
_ROUNDS: Final = 3
_KINDS: Final = {
    "nothing kept": Keeping(newest=0),
    "10,000 posts": Keeping(),
    "with text": Keeping(text=True),
}


class Cost(NamedTuple):
    """CPU-seconds a million posts, and MiB of Redis."""

    worker: float
    redis: float
    memory: float


def partitioned(values: Iterable[tuple[int, bytes]]) -> list[list[FakeRecord]]:
    logs: list[list[FakeRecord]] = [[] for _ in range(_PARTITIONS)]
    for number, (stamp, value) in enumerate(values):
        log = logs[number % _PARTITIONS]
        log.append(FakeRecord(len(log), stamp + 60_000, b"k", value))
    return logs


async def run(redis: Any, logs: Sequence[list[FakeRecord]], keeping: Keeping) -> Cost:
    """Count everything once."""
    await redis.flushall()
    classifier = Classifier([load("metoo")])
    rules = Rules(author_key=b"0123456789abcdef", keeping=keeping)
    stores = [
        PartitionStore(redis, Layout("b:").partition("posts", number))
        for number in range(_PARTITIONS)
    ]
    watermarks: list[int | None] = [None] * _PARTITIONS
    posts = sum(map(len, logs))
    before, began = await redis.info("cpu"), time.process_time()
    for start in range(0, max(map(len, logs)), _BATCH):
        for number, store in enumerate(stores):
            records = logs[number][start : start + _BATCH]
            if not records:
                continue
            reading = read(records, watermark=watermarks[number], sources={}, rules=rules)
            commit = Commit(0, start or None, start, start + len(records), 0, "k")
            pairs = tag_hours(reading.posts, {}, classifier)
            asked = await store.seen(commit, reading, pairs)
            result = count(
                reading, asked.known, classifier=classifier, rules=rules, before=asked.counts
            )
            await store.commit(commit, reading, result, classifier.versions)
            watermarks[number] = reading.watermark
    worker = time.process_time() - began
    after = await redis.info("cpu")
    used = sum(after[name] - before[name] for name in ("used_cpu_user", "used_cpu_sys"))
    memory = (await redis.info("memory"))["used_memory"]
    return Cost(worker / posts * 1e6, used / posts * 1e6, memory / 2**20)


async def measure(url: str, posts: int, shares: Sequence[float]) -> None:
    redis = Redis.from_url(url)
    for share in shares:
        hose = Firehose(PAYLOADS["compact-v2"], posts, share=share)
        logs = partitioned((line.stamp, line.value) for line in hose)
        best: dict[str, Cost] = {}
        for _ in range(_ROUNDS):
            for name, keeping in _KINDS.items():
                cost = await run(redis, logs, keeping)
                best[name] = Cost(*map(min, cost, best.get(name, cost)))
        sys.stdout.write(f"{posts:,} posts, {share:.0%} of a campaign (s CPU a million; MiB)\n")
        for name, cost in best.items():
            line = f"worker {cost.worker:6.2f}  Redis {cost.redis:6.2f}  memory {cost.memory:6.1f}"
            sys.stdout.write(f"  {name:14} {line}\n")
        sys.stdout.flush()
    await redis.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--share", type=float, nargs="+", default=[0.05, 1.0])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis(Path(folder)) as redis:
        asyncio.run(measure(redis.url, given.posts, given.share))


if __name__ == "__main__":
    main()
