"""The whole way of a post with real processes: every count equals the simulation's truth.

Slow (about half a minute each): a broker, workers and tens of thousands of posts share two cores.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import orjson

from streams.demo.compare import compare
from tests.integration.pipeline import Pipeline

NewPipeline = Callable[..., Pipeline]


def wrong(pipeline: Pipeline, counted: dict[str, object]) -> list[object]:
    """Rows of the demo's table that differ."""
    return [row for row in compare(counted, pipeline.truth) if row.difference]


async def test_two_workers_count_a_keyed_day_exactly(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline("keyed")
    await pipeline.fill(50_000)
    for _ in range(2):
        pipeline.start_worker()
    counted = await pipeline.wait_for(50_000)
    assert wrong(pipeline, counted) == []
    assert counted == pipeline.truth
    await _outputs_are_right(pipeline)


async def test_two_workers_count_an_unkeyed_day_exactly(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline("any")
    await pipeline.fill(50_000, seed=2, keyed=False)
    for _ in range(2):
        pipeline.start_worker()
    counted = await pipeline.wait_for(50_000)
    assert counted == pipeline.truth
    await _outputs_are_right(pipeline)


async def test_a_killed_worker_changes_no_count(new_pipeline: NewPipeline) -> None:
    for mode in ("keyed", "any"):
        pipeline = new_pipeline(mode, session_timeout=6.0)
        pipeline.settings = pipeline.settings.model_copy(
            update={
                "redis": pipeline.settings.redis.model_copy(
                    update={"prefix": f"{mode}-{pipeline.settings.redis.prefix}"}
                )
            }
        )
        if mode == "any":
            names = pipeline.settings.kafka.topics
            renamed = names.model_copy(
                update={name: f"any-{value}" for name, value in names.model_dump().items()}
            )
            kafka = pipeline.settings.kafka.model_copy(
                update={"topics": renamed, "group": f"any-{pipeline.settings.kafka.group}"}
            )
            pipeline.settings = pipeline.settings.model_copy(update={"kafka": kafka})
        await pipeline.fill(30_000, seed=3, keyed=mode == "keyed")
        first = pipeline.start_worker()
        await pipeline.wait_for(5_000)
        first.signal(signal.SIGKILL)
        first.wait(10)
        pipeline.start_worker(ready=False)
        counted = await pipeline.wait_for(30_000)
        assert counted == pipeline.truth, mode


async def test_sigterm_hands_over_and_exits_0(new_pipeline: NewPipeline) -> None:
    pipeline = new_pipeline("keyed")
    await pipeline.fill(20_000, seed=4)
    first = pipeline.start_worker()
    await pipeline.wait_for(2_000)
    assert first.stop(grace=10) == 0
    pipeline.start_worker()
    assert await pipeline.wait_for(20_000) == pipeline.truth


async def test_a_worker_more_than_there_are_partitions_is_ready(new_pipeline: NewPipeline) -> None:
    """An assignment may be empty: Faust says nothing of it, and a rollout waited for ever."""
    pipeline = new_pipeline("keyed")
    await pipeline.fill(100, partitions=1)
    for _ in range(2):
        pipeline.start_worker()
    assert (await pipeline.wait_for(100))["posts"] == 100


async def _outputs_are_right(pipeline: Pipeline) -> None:
    """Dead letters hold the record's bytes and its place; classified posts are the campaign's."""
    topics = pipeline.settings.kafka.topics
    raw = {
        (record.partition, record.offset): record for record in await pipeline.records(topics.raw)
    }
    places = set()
    for letter in await pipeline.records(topics.dead):
        headers = dict(letter.headers)
        place = int(headers["source-partition"]), int(headers["source-offset"])
        places.add(place)
        assert headers["source-topic"].decode() == topics.raw
        assert headers["reason"]
        assert (letter.key, letter.value) == (raw[place].key, raw[place].value)
    assert len(places) == pipeline.truth["dead"]
    classified = {
        record.key: orjson.loads(record.value)
        for record in await pipeline.records(topics.classified)
    }
    assert len(classified) == pipeline.truth["campaigns"]["metoo"]["total"]
    assert all(post["campaigns"] and "text" not in post for post in classified.values())
