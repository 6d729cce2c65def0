"""Campaigns added and ended while posts flow.  All texts are invented."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.campaigns import load
from streams.classify import Classifier
from streams.ingest.replay import replay
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options, ensure_topics
from streams.posts import Post, Unreadable, decode
from tests.integration.pipeline import Pipeline

POSTS = 8_000
ALSO = """
name = "also"
version = "1"
roots = ["x:919659438700670976"]
[hashtags]
en = ["MeToo", "BalanceTonPorc"]
[phrases]
en = ["me too"]
"""


def environment(pipeline: Pipeline) -> dict[str, str]:
    topics = pipeline.settings.kafka.topics
    return {
        "STREAMS_KAFKA__CAMPAIGNS": "topic",
        "STREAMS_KAFKA__TOPICS__CAMPAIGNS": topics.campaigns,
    }


def command(pipeline: Pipeline, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "streams", "campaign", *arguments],
        env={**pipeline.environment(), **environment(pipeline)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow  # a broker, a worker and five commands
async def test_a_campaign_counts_from_the_noted_offset_to_the_noted_offset(
    new_pipeline: Callable[..., Pipeline],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    unique: str,
) -> None:
    pipeline = new_pipeline("keyed", campaigns="topic", partitions=3)
    topics = pipeline.settings.kafka.topics.model_copy(update={"campaigns": f"{unique}.campaigns"})
    kafka = pipeline.settings.kafka.model_copy(update={"topics": topics})
    pipeline.settings = pipeline.settings.model_copy(update={"kafka": kafka})
    for name, value in environment(pipeline).items():
        monkeypatch.setenv(name, value)
    await ensure_topics(kafka)
    file = tmp_path / "also.toml"
    file.write_text(ALSO)
    day = iter(simulate(load_scenario("metoo-day"), posts=POSTS, seed=3))
    producer = AIOKafkaProducer(**client_options(kafka), enable_idempotence=True)
    await producer.start()
    try:
        pipeline.start_worker()
        await replay(islice(day, POSTS // 4), producer, topics.raw)
        await pipeline.wait_for(POSTS // 4)
        told = await asyncio.to_thread(command, pipeline, "add", str(file), "--dry-run")
        assert "campaign also 1: " in told
        assert "in force" not in told
        flowing = asyncio.create_task(trickle(day, POSTS // 2, producer, topics.raw))
        told = await asyncio.to_thread(command, pipeline, "add", str(file))
        assert "offset 0 of" in told
        await flowing
        await pipeline.wait_for(POSTS * 3 // 4)
        assert "also  1  (topic" in await asyncio.to_thread(command, pipeline, "list")
        flowing = asyncio.create_task(trickle(day, POSTS // 4, producer, topics.raw))
        await asyncio.to_thread(command, pipeline, "end", "also")
        await flowing
    finally:
        await producer.stop()
    counted = await pipeline.wait_for(POSTS)
    shown = json.loads(await asyncio.to_thread(command, pipeline, "show", "also", "--json"))
    bounds: dict[int, list[int]] = {}
    for change in shown["applied"]:
        bounds.setdefault(int(change["partition"].rpartition(":")[2]), []).append(change["offset"])
    assert len(bounds) == 3
    assert counted["campaigns"]["also"]["via"] == await expected(pipeline, bounds)
    assert sum(counted["campaigns"]["also"]["via"].values()) > 100


async def trickle(day: Any, posts: int, producer: AIOKafkaProducer, topic: str) -> None:
    """Posts in small lots, so that batches begin and end while campaigns change."""
    for _ in range(posts // 100):
        await replay(islice(day, 100), producer, topic)
        await asyncio.sleep(0.1)


async def expected(pipeline: Pipeline, bounds: dict[int, list[int]]) -> Counter[str]:
    """Posts by via, of the first records of uids, between the noted offsets."""
    classifier = Classifier([load(str(pipeline.folder / "also.toml"))])
    seen: set[str] = set()
    found: Counter[str] = Counter()
    newest: dict[int, int] = {}
    for record in await pipeline.records(pipeline.settings.kafka.topics.raw):
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
        first, *last = bounds[record.partition]
        if record.offset >= first and (not last or record.offset < last[0]):
            found.update(membership.via for membership in classifier.classify(post))
    return found
