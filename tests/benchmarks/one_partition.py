"""One partition that is behind, beside idle ones: how fast does a worker catch up?

    python -m tests.benchmarks.one_partition [--posts 100000] [--runs 2]

The same number of posts, in one of eight partitions and in all of them, in turns; posts/s of one
worker.  In one partition a batch waits for the one before it, and fetches wait beside those of
partitions that have nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from streams.kafka import ensure_topics
from tests.benchmarks import streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.services import Services, entry, services
from tests.benchmarks.topics import Topic, producer, send

_PLACES: Final = {"in one partition": 1, "in all of them": 8}


async def _fill(running: Services, partitions: int, posts: int) -> Topic:
    """A topic of eight partitions, with all posts in the first few of them."""
    kafka = running.settings(f"fill-{partitions}", raw=f"posts.in-{partitions}").kafka
    await ensure_topics(kafka)
    firehose = Firehose(PAYLOADS["compact-v2"], posts, share=0.05)
    async with producer(kafka) as to:
        few = kafka.model_copy(update={"partitions": partitions})
        sent = (await send(to, few, firehose)).stats
    return Topic(kafka.topics.raw, kafka.partitions, sent.sent, sent.bytes, firehose.document())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args(arguments)
    with services() as running:
        topics = {name: asyncio.run(_fill(running, n, given.posts)) for name, n in _PLACES.items()}
        for _ in range(given.runs):
            for name, topic in topics.items():
                run = streams_worker.run(running, topic)
                counts = "exact" if run.exact else "NOT EXACT"
                sys.stdout.write(
                    f"{topic.posts:,} posts {name}: {run.per_second:,.0f}/s, {counts}\n"
                )
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(entry(main))
