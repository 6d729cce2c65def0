"""The quiet run: one worker, undisturbed, over the same log into a Redis of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from redis import Redis

from streams.config import RedisSettings, Settings, Topics
from streams.embedded import EmbeddedRedis
from streams.errors import UserError
from streams.kafka import ensure_topics
from streams.keys import Layout
from tests.faults.judge import ends
from tests.faults.stage import worker_environment
from tests.faults.workers import WorkerProcess

_SECONDS: Final = 300.0


def reference_settings(settings: Settings, bootstrap: str, topic: str, url: str) -> Settings:
    """The same rules; the counted topic is read as it is."""
    name = f"{settings.kafka.group}.reference"
    topics = Topics(
        raw=topic, keyed=f"{name}.keyed", classified=f"{name}.classified", dead=f"{name}.dead"
    )
    kafka = settings.kafka.model_copy(
        update={
            "brokers": tuple(bootstrap.split(",")),
            "input": "keyed",
            "group": name,
            "topics": topics,
        }
    )
    redis = RedisSettings(url=url, prefix=settings.redis.prefix)
    return settings.model_copy(update={"kafka": kafka, "redis": redis})


@contextmanager
def reference(
    settings: Settings, bootstrap: str, topic: str, folder: Path
) -> Iterator[tuple[Redis, Settings]]:
    """Counts the topic to its end, then yields its Redis and its settings."""
    with EmbeddedRedis(folder / "reference") as server:
        quiet = reference_settings(settings, bootstrap, topic, server.url)
        asyncio.run(ensure_topics(quiet.kafka))
        worker = WorkerProcess(99, folder, worker_environment(quiet))
        try:
            worker.start(ready=False)
            with Redis.from_url(server.url) as redis:
                _wait(redis, quiet, topic, ends(bootstrap, topic), worker)
                worker.child.stop()
                yield redis, quiet
        finally:
            worker.child.kill()


def _wait(
    redis: Redis, settings: Settings, topic: str, wanted: dict[int, int], worker: WorkerProcess
) -> None:
    layout = Layout(settings.redis.prefix)
    deadline = time.monotonic() + _SECONDS
    while True:
        found = {
            p: int(redis.hget(layout.partition(topic, p).state, "offset") or 0) for p in wanted
        }
        if found == wanted:
            return
        if time.monotonic() > deadline or not worker.running:
            raise UserError(
                f"the quiet run stands at {found} of {wanted}: {worker.child.log_tail(5)}"
            )
        time.sleep(0.2)
