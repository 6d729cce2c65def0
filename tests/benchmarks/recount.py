"""What a recount costs: `python -m tests.benchmarks.recount [POSTS]`.

A worker counts half of a simulated day and then the rest at full speed, while a campaign that is
defined in between is counted again from the first record.  Prints one JSON document: seconds of the
recount and how many records the worker counted meanwhile, seconds of another recount on the log at
rest (three of them: waiting whether it has ended), and the longest swap (ms, as Redis measures it)
with the fields of all campaigns in the buckets of one partition.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from redis import Redis

from streams.config import KafkaSettings, RedisSettings, Settings, Topics
from streams.embedded import EmbeddedKafka, EmbeddedRedis
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import ensure_topics
from tests.integration.pipeline import Pipeline
from tests.integration.test_campaigns import ALSO

_PARTITIONS = 4


def _command(pipeline: Pipeline, *arguments: str) -> float:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=pipeline.environment(),
        check=True,
        stdout=sys.stderr,
    )
    return round(time.monotonic() - began, 1)


def _is_swap(command: bytes) -> bool:
    """EVALSHA with three keys: the swap, and the beginning, which is short."""
    words = command.split(b" ", 4)
    return words[0] == b"EVALSHA" and words[2] == b"3"


async def _measure(pipeline: Pipeline, redis: Redis, posts: int) -> dict[str, Any]:
    kafka = pipeline.settings.kafka
    await ensure_topics(kafka)
    file = pipeline.folder / "also.toml"
    file.write_text(ALSO)
    lines = list(simulate(load_scenario("metoo-day"), posts=posts, seed=1))
    await pipeline.send(lines[: posts // 2], keyed=True)
    pipeline.start_worker()
    await pipeline.wait_for(posts // 2)
    _command(pipeline, "campaign", "add", str(file))
    redis.config_set("slowlog-log-slower-than", 500)
    redis.config_set("slowlog-max-len", 100_000)
    arguments = ("recount", "--campaign", "also", "--since")
    sending = asyncio.create_task(pipeline.send(lines[posts // 2 :], keyed=True))
    before = await pipeline.posts()
    busy = await asyncio.to_thread(_command, pipeline, *arguments, "2017-10-01")
    meanwhile = await pipeline.posts() - before
    await sending
    await pipeline.wait_for(posts)
    redis.slowlog_reset()
    rest = await asyncio.to_thread(_command, pipeline, *arguments, "2017-10-02")
    swaps = [
        entry["duration"] / 1000
        for entry in redis.slowlog_get(100_000)
        if _is_swap(entry["command"])
    ]
    fields = sum(int(redis.hlen(key)) for key in redis.scan_iter(match="*:0}:g0:cb:*", count=1000))
    return {
        "posts": posts,
        "beside_a_full_speed_worker_s": busy,
        "counted_meanwhile": meanwhile,
        "at_rest_s": rest,
        "swap_ms": round(max(swaps), 1) if swaps else None,
        "fields": fields,
    }


async def main() -> None:
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    os.environ["STREAMS_KAFKA__CAMPAIGNS"] = "topic"
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedKafka(Path(folder, "kafka")) as kafka,
        EmbeddedRedis(Path(folder, "redis")) as server,
        Redis.from_url(server.url) as redis,
    ):
        settings = Settings(
            kafka=KafkaSettings(
                brokers=(kafka.bootstrap,),
                group="bench",
                input="keyed",
                partitions=_PARTITIONS,
                campaigns="topic",
                topics=Topics(),
            ),
            redis=RedisSettings(url=server.url),
            privacy={"author_key": "a key for benchmarks, 16+ bytes"},
        )
        pipeline = Pipeline(settings, Path(folder))
        try:
            sys.stdout.write(json.dumps(await _measure(pipeline, redis, posts)) + "\n")
        finally:
            pipeline.stop()


if __name__ == "__main__":
    asyncio.run(main())
