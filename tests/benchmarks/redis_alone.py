"""A worker's commits to a Redis that nothing takes the core from: one after the other, each full.

Beside Kafka and a worker on two cores a script is stopped for milliseconds; that is the machine's
blocking, not the script's.  Here Redis' only client waits for it.
"""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Final

from streams.campaigns import load
from streams.classify import Classifier
from streams.keys import Layout
from streams.murmur2 import partition_of
from streams.reading import Place, read
from streams.redis_client import connect
from streams.settled import reading_rules
from streams.store.commit import Commit, PartitionStore
from streams.writing import BatchWriter
from tests.benchmarks.firehose import Firehose
from tests.benchmarks.services import Services
from tests.protocol.fakes import FakeObserver, FakeOutputs, FakeRecord, NoKinship

PARTITIONS: Final = 8
_TOPIC: Final = "posts.raw"


def write(services: Services, firehose: Firehose, posts: int) -> None:
    """Count so many posts, in batches as large as one may be, and write no outputs."""
    asyncio.run(_write(services, firehose, posts))


async def _write(services: Services, firehose: Firehose, posts: int) -> None:
    settings = services.settings("alone", raw=_TOPIC)
    most, rules = settings.commit.max_posts, reading_rules(settings)
    classifier = Classifier([load("metoo")])
    redis = connect(settings.redis, retries=0)
    layout = Layout(settings.redis.prefix)
    writers: list[BatchWriter] = []
    for number in range(PARTITIONS):
        store = PartitionStore(redis, layout.partition(_TOPIC, number))
        writers.append(
            BatchWriter(
                place=Place(_TOPIC, number),
                store=store,
                outputs=FakeOutputs(),
                observer=FakeObserver(),
                kinship=NoKinship(),
                rules=rules,
            )
        )
    waiting: list[list[FakeRecord]] = [[] for _ in writers]
    offsets = [0] * PARTITIONS
    watermarks: list[int | None] = [None] * PARTITIONS
    try:
        for line in islice(firehose, posts):
            number = partition_of(line.key, PARTITIONS)
            records = waiting[number]
            offset = offsets[number] + len(records)
            records.append(FakeRecord(offset, line.stamp, line.key, line.value))
            if len(records) == most:
                reading = read(records, watermark=watermarks[number], sources={}, rules=rules)
                begin, end = offsets[number], offset + 1
                commit = Commit(0, begin or None, begin, end, line.stamp, "-")
                await writers[number].write(commit, reading, classifier, ())
                waiting[number] = []
                offsets[number], watermarks[number] = end, reading.watermark
    finally:
        await redis.aclose()
