"""A campaign counted again while posts flow and things die.  All texts are invented."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.campaigns import Campaign, load
from streams.classify import Classifier
from streams.ingest.replay import replay
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options, ensure_topics
from streams.keys import US
from streams.posts import Post, Unreadable, decode
from streams.posts.complete import with_country
from streams.redis_client import connect
from tests.faults.redis_node import RedisNode, wait_until
from tests.integration.pipeline import Pipeline
from tests.integration.test_campaigns import ALSO, environment, trickle
from tests.store.test_cluster import cluster_url

__all__ = ["cluster_url"]

POSTS = 6_000
SEED = 3


@pytest.fixture
def pipeline(
    new_pipeline: Callable[..., Pipeline], unique: str, monkeypatch: pytest.MonkeyPatch
) -> Pipeline:
    """Campaigns come from a topic; three partitions."""
    pipeline = new_pipeline("keyed", campaigns="topic", partitions=3)
    topics = pipeline.settings.kafka.topics.model_copy(update={"campaigns": f"{unique}.campaigns"})
    kafka = pipeline.settings.kafka.model_copy(update={"topics": topics})
    pipeline.settings = pipeline.settings.model_copy(update={"kafka": kafka})
    (pipeline.folder / "also.toml").write_text(ALSO)
    for name, value in environment(pipeline).items():
        monkeypatch.setenv(name, value)  # workers get it, too
    return pipeline


@asynccontextmanager
async def command(pipeline: Pipeline, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A `streams` command as a process of its own; killed where it has not ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", *arguments),
        env=pipeline.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def run(pipeline: Pipeline, *arguments: str, status: int = 0) -> str:
    """What a command says, on either stream."""
    async with command(pipeline, *arguments) as process:
        out, err = await asyncio.wait_for(process.communicate(), 240)
        told = out.decode() + err.decode()
        assert process.returncode == status, told
        return told


async def killed(pipeline: Pipeline, *arguments: str, after: float) -> None:
    """SIGKILL after so many seconds, wherever it is then."""
    async with command(pipeline, *arguments) as process:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), after)


class Day:
    """A simulated day, sent bit by bit."""

    def __init__(self, pipeline: Pipeline, producer: AIOKafkaProducer) -> None:
        self.simulated = simulate(load_scenario("metoo-day"), posts=POSTS, seed=SEED)
        self.lines: Iterator[Any] = iter(self.simulated)
        self.sent = 0
        self._producer = producer
        self._topic = pipeline.settings.kafka.topics.raw

    async def send(self, posts: int) -> None:
        await replay(islice(self.lines, posts), self._producer, self._topic)
        self.sent += posts

    async def flow(self, posts: int) -> None:
        await trickle(self.lines, posts, self._producer, self._topic)
        self.sent += posts


@asynccontextmanager
async def day_of(pipeline: Pipeline) -> AsyncIterator[Day]:
    kafka = pipeline.settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka), enable_idempotence=True)
    await producer.start()
    try:
        yield Day(pipeline, producer)
    finally:
        await producer.stop()


async def time_of(pipeline: Pipeline, share: float) -> str:
    """The time of the post that this share of those sent are older than."""
    records = await pipeline.records(pipeline.settings.kafka.topics.raw)
    stamps = sorted(record.timestamp for record in records)
    ms = stamps[int(len(stamps) * share)]
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


async def expected(pipeline: Pipeline, campaign: Campaign, since: str) -> dict[str, Any]:
    """Fields of totals, posts by minute, replies by what they answer, and authors of the campaign,
    of the first records of uids: from the record on that is the partition's first since then."""
    classifier = Classifier([campaign])
    since_ms = datetime.fromisoformat(since).timestamp() * 1000
    counting: set[int] = set()
    seen: set[str] = set()
    totals: Counter[str] = Counter()
    minutes: Counter[int] = Counter()
    replies: Counter[str] = Counter()
    authors: set[tuple[int, str, str]] = set()  # of each partition
    newest: dict[int, int] = {}
    for record in await pipeline.records(pipeline.settings.kafka.topics.raw):
        if record.timestamp >= since_ms:
            counting.add(record.partition)
        try:
            post = decode(record.value)
        except Unreadable:
            continue
        if not isinstance(post, Post) or post.created_at > record.timestamp + 300_000:
            continue
        top = newest.get(record.partition, 0)
        if post.created_at < top - 25 * 3_600_000:
            continue
        newest[record.partition] = max(top, post.created_at)
        if post.uid in seen:
            continue
        seen.add(post.uid)
        if record.partition not in counting:
            continue
        for membership in classifier.classify(post):
            post = with_country(post)
            totals["total", ""] += 1
            totals["stance", membership.stance] += 1
            totals["lang", post.lang] += 1
            joint = (post.platform, post.kind, membership.via)
            totals["joint", US.join(joint)] += 1
            if post.country is not None:
                totals["country", post.country] += 1
            minutes[post.created_at // 60_000] += 1
            if post.kind == "reply" and post.parent is not None:
                replies[post.parent] += 1
            authors.add((record.partition, post.platform, post.author_id))
    return {"totals": totals, "minutes": minutes, "replies": replies, "authors": len(authors)}


async def found(pipeline: Pipeline, campaign: str) -> dict[str, Any]:
    """The same, of what Redis holds."""
    redis = connect(pipeline.settings.redis, retries=3)
    prefix = pipeline.settings.redis.prefix
    totals: Counter[tuple[str, str]] = Counter()
    minutes: Counter[int] = Counter()
    replies: Counter[str] = Counter()
    authors = []
    left = []
    try:
        async for key in redis.scan_iter(match=f"{prefix}*", count=1000):
            name = key.decode()
            if "}:r:" in name:
                left.append(name)
            elif name.endswith(":g0:campaigns") or ":g0:cb:60:" in name:
                for field, n in (await redis.hgetall(key)).items():
                    of, dimension, value = field.decode().split(US, 2)
                    if of != campaign or dimension in {"root", "delay"}:
                        continue
                    if name.endswith("campaigns"):
                        totals[dimension, value] += int(n)
                    elif dimension == "total":
                        minutes[int(name.rpartition(":")[2]) // 60] += int(n)
            elif ":g0:cb:replies:" in name:
                for field, n in (await redis.hgetall(key)).items():
                    of, parent = field.decode().split(US)
                    if of == campaign:
                        replies[parent] += int(n)
            elif name.endswith(f":u:0:0:c{US}{campaign}"):
                authors.append(await redis.pfcount(key))
    finally:
        await redis.aclose()
    assert left == []
    return {"totals": totals, "minutes": minutes, "replies": replies, "authors": sum(authors)}


async def judge(pipeline: Pipeline, day: Day, since: str) -> dict[str, Any]:
    """Count the rest of the day, and compare all of it."""
    await day.send(POSTS - day.sent)
    for _ in day.lines:
        pytest.fail("the day has more posts")
    totals = await pipeline.wait_for(POSTS)
    true = day.simulated.truth.document()
    assert totals["hashtags"] == true["hashtags"]
    assert totals["campaigns"]["metoo"] == true["campaigns"]["metoo"]
    assert totals["duplicates"] == true["duplicates"]
    campaign = load(str(pipeline.folder / "also.toml"))
    wanted, is_now = await expected(pipeline, campaign, since), await found(pipeline, "also")
    assert is_now["totals"] == wanted["totals"]
    assert is_now["minutes"] == wanted["minutes"]
    assert is_now["replies"] == wanted["replies"]
    assert wanted["replies"].total() > 10
    assert is_now["authors"] == pytest.approx(wanted["authors"], rel=0.05)  # 0.8 % a partition
    assert wanted["totals"]["total", ""] > 100
    return is_now


@pytest.mark.slow  # a broker, a worker, and commands
async def test_a_campaign_defined_in_the_middle_of_a_day_is_counted_from_before(
    pipeline: Pipeline,
) -> None:
    async with day_of(pipeline) as day:
        pipeline.start_worker()
        await day.send(POSTS // 2)
        await pipeline.wait_for(POSTS // 2)
        since = await time_of(pipeline, 0.4)
        told = await run(pipeline, "campaign", "add", str(pipeline.folder / "also.toml"))
        assert "streams recount --campaign also --since" in told
        flowing = asyncio.create_task(day.flow(POSTS // 4))
        told = await run(pipeline, "recount", "--campaign", "also", "--since", since)
        assert "3 partitions swapped" in told
        assert "\x1b" not in told
        await flowing
        again = await run(pipeline, "recount", "--campaign", "also", "--since", since)
        assert "3 partitions swapped" in again
        await judge(pipeline, day, since)


@pytest.mark.slow  # a broker, a worker, and commands that are killed
async def test_a_recount_that_is_killed_goes_on_and_two_at_once_are_one(
    pipeline: Pipeline,
) -> None:
    dice = random.Random(SEED)
    async with day_of(pipeline) as day:
        pipeline.start_worker()
        await day.send(POSTS // 2)
        await pipeline.wait_for(POSTS // 2)
        since = await time_of(pipeline, 0.2)
        await run(pipeline, "campaign", "add", str(pipeline.folder / "also.toml"))
        arguments = ("recount", "--campaign", "also", "--since", since)
        flowing = asyncio.create_task(day.flow(POSTS // 4))
        for _ in range(5):
            await killed(pipeline, *arguments, after=dice.uniform(1.5, 5))
        both = await asyncio.gather(run(pipeline, *arguments), run(pipeline, *arguments))
        assert all("3 partitions swapped" in told for told in both)
        await flowing
        await judge(pipeline, day, since)


@pytest.mark.slow  # a broker, a Redis that is killed and cut back, a worker
async def test_a_redis_that_goes_back_takes_both_back(pipeline: Pipeline, tmp_path: Path) -> None:
    node = RedisNode(tmp_path / "redis")
    started(node)
    redis = pipeline.settings.redis.model_copy(update={"url": node.server.url})
    pipeline.settings = pipeline.settings.model_copy(update={"redis": redis})
    try:
        async with day_of(pipeline) as day:
            pipeline.start_worker()
            await day.send(POSTS // 2)
            await pipeline.wait_for(POSTS // 2)
            since = await time_of(pipeline, 0.2)
            await run(pipeline, "campaign", "add", str(pipeline.folder / "also.toml"))
            arguments = ("recount", "--campaign", "also", "--since", since)
            flowing = asyncio.create_task(day.flow(POSTS // 4))
            async with command(pipeline, *arguments) as process:
                for _ in range(3):
                    await noting(node, 2.0)
                    await asyncio.to_thread(node.crash, 0.7)
                    await asyncio.to_thread(started, node)
                out, err = await asyncio.wait_for(process.communicate(), 240)
                assert process.returncode == 0, out.decode() + err.decode()
            await flowing
            await noting(node, 1.0)
            await asyncio.to_thread(node.crash, 0.7)  # may take swaps back: the command says so
            await asyncio.to_thread(started, node)
            await run(pipeline, *arguments)
            await judge(pipeline, day, since)
    finally:
        pipeline.stop()
        node.server.stop()


def started(node: RedisNode) -> None:
    """Until its data are loaded."""
    node.start()
    with node.admin() as client:
        wait_until(lambda: not client.info("persistence")["loading"])


async def noting(node: RedisNode, seconds: float) -> None:
    for _ in range(int(seconds * 10)):
        node.note_size()
        await asyncio.sleep(0.1)


@pytest.mark.slow  # a broker, two Redis nodes, a worker, and commands
async def test_on_a_cluster(pipeline: Pipeline, cluster_url: str) -> None:
    redis = pipeline.settings.redis.model_copy(update={"url": cluster_url, "cluster": True})
    pipeline.settings = pipeline.settings.model_copy(update={"redis": redis})
    async with day_of(pipeline) as day:
        pipeline.start_worker()
        await day.send(POSTS // 2)
        await pipeline.wait_for(POSTS // 2)
        since = await time_of(pipeline, 0.4)
        await run(pipeline, "campaign", "add", str(pipeline.folder / "also.toml"))
        flowing = asyncio.create_task(day.flow(POSTS // 4))
        await run(pipeline, "recount", "--campaign", "also", "--since", since)
        await flowing
        await judge(pipeline, day, since)


@pytest.mark.slow  # a broker, a worker, and commands
async def test_a_day_that_has_ended_is_counted_by_other_rules_and_bad_input_gets_one_line(
    pipeline: Pipeline,
) -> None:
    file = pipeline.folder / "also.toml"
    async with day_of(pipeline) as day:
        told = await run(
            pipeline, "recount", "--campaign", "also", "--since", "2017-10-15", status=2
        )
        assert told == "streams: there is no campaign also: streams campaign list\n"
        await run(pipeline, "campaign", "add", str(file))
        arguments = ("recount", "--campaign", "also", "--since")
        told = await run(pipeline, *arguments, "2017-10-15", status=1)
        assert "has no record since 2017-10-15 00:00:00 UTC: nothing to count again" in told
        assert "is in the future" in await run(pipeline, *arguments, "2999-01-01", status=2)
        await run(pipeline, "campaign", "end", "also")
        pipeline.start_worker()
        await day.send(POSTS)
        await pipeline.wait_for(POSTS)
        # Nobody posts any more: the day is counted all the same.
        since = await time_of(pipeline, 0.3)
        await run(pipeline, "campaign", "add", str(file))
        await run(pipeline, *arguments, since)
        later = await judge(pipeline, day, since)
        told = await run(pipeline, *arguments, "2017-10-01")
        assert "the log begins at 2017-10-15" in told
        whole = await judge(pipeline, day, "2017-10-01T00:00:00+00:00")
        assert whole["totals"]["total", ""] > later["totals"]["total", ""]
        file.write_text(ALSO.replace('version = "1"', 'version = "2"').replace('"MeToo", ', ""))
        await run(pipeline, "campaign", "add", str(file))
        await run(pipeline, *arguments, since)
        less = await judge(pipeline, day, since)
        assert less["totals"]["total", ""] < later["totals"]["total", ""]
        topics = pipeline.settings.kafka.topics.model_copy(update={"raw": "not.there"})
        kafka = pipeline.settings.kafka.model_copy(update={"topics": topics})
        pipeline.settings = pipeline.settings.model_copy(update={"kafka": kafka})
        told = await run(pipeline, *arguments, since, status=1)
        assert told.startswith("streams: Kafka has no topic not.there: ")
        assert told.count("\n") == 1
