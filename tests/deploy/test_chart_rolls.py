"""A chart upgraded and rolled back while posts flow: every count is exact.

Ordinary processes stand for pods: commands, environment, configuration, probes and grace are those
that helm renders, and they come and go as the Deployment's strategy says.  Slow (two minutes): six
workers start one after another under load.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.campaigns import load
from streams.campaigns.versions import revision
from streams.classify import Classifier
from streams.embedded import Child
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options
from tests.deploy.chart import named
from tests.deploy.processes import Pods, rendered
from tests.integration.pipeline import Pipeline, paced
from tests.integration.recounting import notes, truth

pytestmark = pytest.mark.slow

RATE, PARTITIONS = 600.0, 4


async def flow(enough: asyncio.Event) -> AsyncIterator[bytes]:
    """Posts of a day, `RATE` a second, until it is enough."""
    day = simulate(load_scenario("metoo-day"), posts=1_000_000, seed=5)
    async for line in paced(day, RATE, held=-1, release=enough):
        if enough.is_set():
            return
        yield line


class Stall:
    """The longest time, in seconds, in which nothing was committed though posts were waiting."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.longest = 0.0

    async def watch(self) -> None:
        """Until it is cancelled."""
        kafka = self._pipeline.settings.kafka
        own = [TopicPartition(kafka.topics.raw, number) for number in range(PARTITIONS)]
        async with AIOKafkaConsumer(**client_options(kafka)) as consumer:
            before, since = -1, time.monotonic()
            while True:
                counted = await self._pipeline.posts()
                now = time.monotonic()
                if counted != before or counted == sum((await consumer.end_offsets(own)).values()):
                    before, since = counted, now
                self.longest = max(self.longest, now - since)
                await asyncio.sleep(0.1)


async def test_upgrade_and_rollback_under_load(
    tool: Callable[[str], str],
    new_pipeline: Callable[..., Pipeline],
    unique: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline = new_pipeline("keyed", partitions=PARTITIONS)
    kafka, redis = pipeline.settings.kafka, pipeline.settings.redis
    shipped = (files("streams.campaigns") / "metoo.toml").read_text(encoding="utf-8")
    changed = shipped.replace('"NoMore", "WomenWhoRoar",', '"NoMore",').replace(
        '[hashtags]\nen = ["MeToo",', '[hashtags]\nen = ["MeToo", "WomenWhoRoar",'
    )
    given: dict[str, Any] = {
        "kafka.brokers": list(kafka.brokers),
        "kafka.input": "keyed",
        "kafka.group": unique,
        "kafka.topics": kafka.topics.model_dump() | {"campaigns": f"{unique}.campaigns"},
        "kafka.partitions": PARTITIONS,
        "kafka.replication": 1,
        "redis.url": redis.url,
        "redis.prefix": redis.prefix,
        "campaigns.shipped": [],
    }

    def release(campaign: str, *more: str) -> str:
        return rendered(
            tool("helm"), "minimal", {**given, "campaigns.files.metoo": campaign}, *more
        )

    installed = release(shipped)
    upgraded = release(changed, "--is-upgrade")
    rolled_back = release(shipped, "--is-upgrade")
    assert config_hash(installed) == config_hash(rolled_back) != config_hash(upgraded)

    with Pods(tmp_path) as pods:
        pods.apply(installed)
        with pods.child("worker", "check", "--create-topics") as check:
            assert check.wait(60) in (0, 1), check.log_tail()
        pipeline.workers = pods.started
        running = [
            await asyncio.to_thread(pods.start, "worker")
            for _ in range(pods.deployment("worker")["replicas"])
        ]
        rolled = asyncio.Event()
        feed = asyncio.create_task(pipeline.send(flow(rolled), keyed=True))
        await pipeline.wait_for(3_000)
        stall = Stall(pipeline)
        watching = asyncio.create_task(stall.watch())
        for text in (upgraded, rolled_back):
            pods.apply(text)
            running = await asyncio.to_thread(roll, pods, running)
            await pipeline.wait_for(await pipeline.posts() + 3_000)
        rolled.set()
        await feed
        counted = await pipeline.wait_for(len(await pipeline.records(kafka.topics.raw)))
        assert not watching.done(), watching.exception()
        watching.cancel()
    with capsys.disabled():
        sys.stdout.write(f"\n  nothing committed for at most {stall.longest:.1f} s\n")

    classifiers = {}
    for name, text in (("shipped", shipped), ("changed", changed)):
        (file := tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        classifiers[revision(load(str(file)))] = Classifier([load(str(file))])
    revisions = list(classifiers)
    found = await notes(pipeline)
    for number in range(PARTITIONS):
        own = [n for n in found if n.partition == f"{kafka.topics.raw}:{number}"]
        assert own[0].offset == 0
        # In the middle of a roll old and new ones take turns; it begins and ends with the first.
        counted_by = [note.campaigns["metoo"] for note in own]
        assert counted_by[0] == counted_by[-1] == revisions[0]
        assert set(counted_by) == set(revisions)
    outcomes, members = await truth(pipeline, found, classifiers)
    assert {name: counted[name] for name in outcomes} == outcomes
    campaign = counted["campaigns"]["metoo"]
    assert {name: campaign[name] for name in members} == members
    _, of_the_first = await truth(pipeline, found[:1], classifiers)
    assert of_the_first["total"] < campaign["total"], "the upgrade has changed something"


def config_hash(text: str) -> str:
    """What rolls the workers of this release."""
    template = named(text, "Deployment", "worker")["spec"]["template"]
    return str(template["metadata"]["annotations"]["checksum/config"])


def roll(pods: Pods, old: list[Child]) -> list[Child]:
    """New workers for all old ones, as the Deployment says: one more, ready, and then one fewer.

    Without the pause of `minReadySeconds` between them: harder on the group than the controller is.
    """
    spec = pods.deployment("worker")
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    grace = spec["template"]["spec"]["terminationGracePeriodSeconds"]
    new = []
    for worker in old:
        new.append(pods.start("worker"))
        assert worker.stop(grace) == 0, worker.log_tail()
    return new
