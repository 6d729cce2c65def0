"""The obvious way: a plain Faust agent that calls Redis once a post.

As a program (`python -m tests.benchmarks.plain_faust BOOTSTRAP TOPIC POSTS REDIS PREFIX`) it reads
until it has all posts or its time is over, and prints one line of JSON.  The one call is a script
that dedupes and counts: without it, it would be one call more for every hashtag.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from typing import Any, Final

import faust
from faust.types import StreamT
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from tests.benchmarks.measure import Run, exact, run_program
from tests.benchmarks.plain_work import SECONDS, parse
from tests.benchmarks.services import Services, environment
from tests.benchmarks.topics import Topic

# KEYS: uids, counts.  ARGV: uid, then a field for each hashtag.  Returns 1 for a new uid.
_COUNT: Final = """
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
for i = 2, #ARGV do redis.call('HINCRBY', KEYS[2], ARGV[i], 1) end
return 1
"""


def run(services: Services, topic: Topic) -> Run:
    """The whole topic, or as much of it as takes 20 s."""
    name = f"faust-{time.monotonic_ns()}"
    with Redis.from_url(services.redis_url) as redis:
        redis.flushall()
        done, said = run_program(
            "plain Faust agent",
            [
                sys.executable,
                "-m",
                "tests.benchmarks.plain_faust",
                services.bootstrap,
                topic.name,
                str(topic.posts),
                services.redis_url,
                name,
            ],
            folder=services.folder,
            env=environment(services.settings(name, raw=topic.name)),
            redis=redis,
        )
    return done._replace(exact=exact(said, topic.posts, topic.truth))


class _Tally:
    """What was done since the first record."""

    def __init__(self, posts: int) -> None:
        self.wanted = posts
        self.posts = self.unique = self.tags = 0
        self.began = self.cpu = 0.0
        self.over = asyncio.Event()

    def add(self, fresh: bool, tags: int) -> None:
        self.posts += 1
        if fresh:
            self.unique += 1
            self.tags += tags
        if self.posts >= self.wanted or time.perf_counter() - self.began > SECONDS:
            self.over.set()

    def line(self) -> dict[str, Any]:
        return {
            "posts": self.posts,
            "unique": self.unique,
            "tags": self.tags,
            "seconds": time.perf_counter() - self.began,
            "cpu_seconds": time.process_time() - self.cpu,
        }


async def _read(bootstrap: str, topic: str, posts: int, redis_url: str, name: str) -> Any:
    app = faust.App(
        name,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        datadir=tempfile.mkdtemp(dir="."),
    )
    redis = AsyncRedis.from_url(redis_url)
    count = redis.register_script(_COUNT)
    tally = _Tally(posts)

    @app.agent(app.topic(topic, value_serializer="raw"))
    async def count_posts(stream: StreamT[bytes]) -> None:
        async for value in stream:
            if not tally.began:
                tally.began, tally.cpu = time.perf_counter(), time.process_time()
            post = parse(value)
            fields = [f"{post.minute} {tag} {post.lang}" for tag in post.tags]
            fresh = await count(keys=[f"{name}:uids", f"{name}:counts"], args=[post.uid, *fields])
            if not tally.over.is_set():
                tally.add(bool(fresh), len(fields))

    await app.start()
    await tally.over.wait()
    return tally.line()


async def _main(bootstrap: str, topic: str, posts: str, redis_url: str, name: str) -> None:
    said = await _read(bootstrap, topic, int(posts), redis_url, name)
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Faust takes seconds to stop


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
