"""The ceiling: aiokafka fetches the records, `orjson.loads` parses them, and nothing else is done.

As a program (`python -m tests.benchmarks.ceiling BOOTSTRAP TOPIC SETTINGS POSTS`) it is one
measurement; `best_fetch` tries the settings that matter, once a topic, and keeps the cheapest.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.config import KafkaSettings
from tests.benchmarks.measure import Run, run_program
from tests.benchmarks.services import Services, environment
from tests.benchmarks.topics import Topic

_TRIED_POSTS: Final = 100_000


class Fetch(NamedTuple):
    """Settings of aiokafka's consumer."""

    partition_bytes: int
    max_records: int | None
    check_crcs: bool

    def __str__(self) -> str:
        records = "all" if self.max_records is None else f"{self.max_records:,}"
        crcs = "CRCs checked" if self.check_crcs else "CRCs not checked"
        return f"{self.partition_bytes // 1024:,} KiB a partition, {records} records, {crcs}"


def candidates() -> list[Fetch]:
    """What is tried: the worker's own settings first, then larger and smaller, without CRCs."""
    worker = KafkaSettings()
    return [
        Fetch(worker.fetch_bytes, worker.max_poll_records, check_crcs=True),
        *(
            Fetch(size, records, check_crcs=False)
            for size in (2**18, 2**20, 2**22)
            for records in (worker.max_poll_records, None)
        ),
    ]


def best_fetch(services: Services, topic: Topic) -> Fetch:
    """The settings with which the ceiling costs the least CPU."""
    posts = min(topic.posts, _TRIED_POSTS)
    return max(candidates(), key=lambda fetch: run(services, topic, fetch, posts).per_cpu_second)


def run(services: Services, topic: Topic, fetch: Fetch, posts: int | None = None) -> Run:
    """Read and parse the topic, or the first `posts` of it."""
    settings = services.settings("ceiling", raw=topic.name)
    done, _ = run_program(
        "ceiling",
        [
            sys.executable,
            "-m",
            "tests.benchmarks.ceiling",
            services.bootstrap,
            topic.name,
            json.dumps(fetch),
            str(posts or topic.posts),
        ],
        folder=services.folder,
        env=environment(settings),
    )
    return done


async def _read(bootstrap: str, topic: str, fetch: Fetch, posts: int) -> dict[str, Any]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        max_partition_fetch_bytes=fetch.partition_bytes,
        check_crcs=fetch.check_crcs,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        found = (await consumer._client.fetch_all_metadata()).partitions_for_topic(topic) or ()
        read = 0
        loads = orjson.loads
        began, cpu = time.perf_counter(), time.process_time()
        consumer.assign([TopicPartition(topic, partition) for partition in found])
        while read < posts:
            for records in (
                await consumer.getmany(timeout_ms=1000, max_records=fetch.max_records)
            ).values():
                for record in records:
                    loads(record.value)  # type: ignore[arg-type] # no record is empty
                read += len(records)
        return {
            "posts": read,
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - cpu,
        }
    finally:
        await consumer.stop()


def main() -> None:
    bootstrap, topic, fetch, posts = sys.argv[1:]
    said = asyncio.run(_read(bootstrap, topic, Fetch(*json.loads(fetch)), int(posts)))
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
