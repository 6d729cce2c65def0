"""A scenario with services of its own: workers, the feed, and the comparison at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import Redis, RedisCluster
from redis.exceptions import RedisError

from streams.config import RedisSettings, Settings
from streams.counts import total_document
from streams.kafka import ensure_topics
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.reads import Reader
from tests.faults import judge as witness
from tests.faults.feed import Feed
from tests.faults.judge import Verdict
from tests.faults.reference import reference
from tests.faults.stage import settings_of, worker_environment
from tests.faults.workers import WorkerProcess, all_running

PARTITIONS: Final = 6
_DRAIN_SECONDS: Final = 180.0


@dataclass
class Scene:
    """`bootstrap` is where feed and judge reach Kafka; `client` makes one of Redis as it is now."""

    folder: Path
    settings: Settings
    bootstrap: str
    client: Callable[[], Redis | RedisCluster]
    workers: list[WorkerProcess] = field(default_factory=list)

    @property
    def topic(self) -> str:
        return self.settings.kafka.topics.raw

    def offsets(self) -> dict[int, int]:
        """Stored next offsets; empty while Redis does not answer."""
        layout = Layout(self.settings.redis.prefix)
        try:
            with self.client() as client:
                return {
                    p: int(client.hget(layout.partition(self.topic, p).state, "offset") or 0)
                    for p in range(self.settings.kafka.partitions)
                }
        except (RedisError, OSError):
            return {}

    def drain(self) -> None:
        """Wait until everything in the topic is counted; `AssertionError` where it never is."""
        wanted = witness.ends(self.bootstrap, self.topic)
        deadline = time.monotonic() + _DRAIN_SECONDS
        while (found := self.offsets()) != wanted:
            all_running(self.workers)
            assert time.monotonic() < deadline, f"counted up to {found} of {wanted}"
            time.sleep(0.2)

    def verdict(self) -> Verdict:
        """Every key against a quiet run's, and every record written."""
        for worker in self.workers:
            worker.child.stop()
        prefix, kafka = self.settings.redis.prefix, self.settings.kafka
        with reference(self.settings, self.bootstrap, self.topic, self.folder) as (quiet, other):
            with self.client() as client:
                ours = witness.snapshot(client, prefix)
            parts = [witness.compare_keys(ours, witness.snapshot(quiet, prefix))]
            for output in ("dead", "classified"):
                pair = [
                    witness.written(witness.records(kafka, self.bootstrap, getattr(topics, output)))
                    for topics in (kafka.topics, other.kafka.topics)
                ]
                parts.append(witness.compare_written(f"posts.{output}", *pair))
        return Verdict(
            max(part.lost for part in parts),
            max(part.twice for part in parts),
            [line for part in parts for line in part.wrong],
        )

    def totals(self) -> dict[str, Any]:
        """As `streams counts --total --json`."""

        async def read() -> dict[str, Any]:
            redis = connect(self.settings.redis, retries=3)
            try:
                return await total_document(Reader(redis, Layout(self.settings.redis.prefix)))
            finally:
                await redis.aclose()

        return asyncio.run(read())


@contextmanager
def scene(
    folder: Path,
    redis: RedisSettings,
    bootstrap: str,
    client: Callable[[], Redis | RedisCluster],
    *,
    workers: int = 2,
    partitions: int = PARTITIONS,
    replication: int = 1,
    name: str = "faults",
) -> Iterator[Scene]:
    """Topics and workers; these end with it."""
    settings = settings_of(bootstrap, redis, mode="keyed", partitions=partitions, name=name)
    kafka = settings.kafka.model_copy(update={"replication": replication})
    asyncio.run(ensure_topics(kafka))
    made = Scene(folder, settings.model_copy(update={"kafka": kafka}), bootstrap, client)
    try:
        for number in range(workers):
            worker = WorkerProcess(number, folder, worker_environment(made.settings))
            made.workers.append(worker)
            worker.start(ready=False)
        for worker in made.workers:
            worker.wait_ready()
        yield made
    finally:
        for worker in made.workers:
            worker.child.kill()


@contextmanager
def feeding(made: Scene, *, posts: int, seed: int, seconds: float) -> Iterator[Feed]:
    """Posts flow while the body runs; all of them are in Kafka at its end."""
    with Feed(
        made.settings.kafka, posts=posts, seed=seed, keyed=True, bootstrap=made.bootstrap
    ) as feed:
        feed.begin(posts, seconds)
        yield feed
        feed.finish()
        feed.begin(None, 0)
        feed.finish()
