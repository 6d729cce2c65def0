"""Real workers on the embedded Kafka and Redis, and the simulated day with its truth."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import ConsumerRecord, TopicPartition

from streams.config import Settings
from streams.counts import read_totals, total_document
from streams.embedded import Child, free_port, url_answers
from streams.ingest.replay import replay
from streams.ingest.simulate import load_scenario, simulate
from streams.kafka import client_options, ensure_topics
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.reads import Reader

DRAIN_SECONDS = 240.0


async def paced(
    lines: Iterable[bytes], rate: float, held: int, release: asyncio.Event
) -> AsyncIterator[bytes]:
    """Lines at `rate` a second; what comes after the first `held` waits for `release`."""
    began = time.monotonic()
    for number, line in enumerate(lines):
        if number == held:
            await release.wait()
        if (wait := began + number / rate - time.monotonic()) > 0.01:
            await asyncio.sleep(wait)
        yield line


@dataclass
class Pipeline:
    """Topics, workers and counts of one test."""

    settings: Settings
    folder: Path
    workers: list[Child] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)  # of the workers' metrics
    truth: dict[str, Any] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What a worker of this test is given, as an operator would."""
        kafka, redis = self.settings.kafka, self.settings.redis
        return {
            **os.environ,
            "STREAMS_KAFKA__BROKERS": ",".join(kafka.brokers),
            "STREAMS_KAFKA__INPUT": kafka.input,
            "STREAMS_KAFKA__GROUP": kafka.group,
            "STREAMS_KAFKA__SESSION_TIMEOUT": str(kafka.session_timeout),
            "STREAMS_KAFKA__TOPICS__RAW": kafka.topics.raw,
            "STREAMS_KAFKA__TOPICS__KEYED": kafka.topics.keyed,
            "STREAMS_KAFKA__TOPICS__CLASSIFIED": kafka.topics.classified,
            "STREAMS_KAFKA__TOPICS__DEAD": kafka.topics.dead,
            "STREAMS_REDIS__URL": redis.url,
            "STREAMS_REDIS__PREFIX": redis.prefix,
            "STREAMS_REDIS__CLUSTER": str(redis.cluster).lower(),
            "STREAMS_PRIVACY__AUTHOR_KEY": self.settings.privacy.key().decode(),
        }

    def start_worker(
        self,
        *,
        ready: bool = True,
        program: str = "streams",
        extra: Mapping[str, str] = MappingProxyType({}),
    ) -> Child:
        """`program` is the module that is run, `extra` more of its environment."""
        port = free_port()
        number = len(self.workers)
        worker = Child(
            f"worker {number}",
            [sys.executable, "-m", program, "worker"],
            log=self.folder / f"worker-{number}.log",
            env={
                **self.environment(),
                "STREAMS_WORKER__PORT": str(port),
                "STREAMS_WORKER__HOST": "127.0.0.1",
                **extra,
            },
        )
        self.workers.append(worker.start())
        self.ports.append(port)
        if ready:
            worker.wait_ready(lambda: url_answers(f"http://127.0.0.1:{port}/readyz"))
        return worker

    async def fill(
        self,
        posts: int,
        *,
        seed: int = 1,
        keyed: bool = True,
        partitions: int = 4,
        rate: float | None = None,
        release: asyncio.Event | None = None,
    ) -> None:
        """Replay a simulated day into the raw topic.

        With `release`, at `rate` records a second, and the last fifth when that is set.
        """
        kafka = self.settings.kafka.model_copy(update={"partitions": partitions})
        await ensure_topics(kafka)
        day = simulate(load_scenario("metoo-day"), posts=posts, seed=seed)
        await self.send(
            paced(day, rate, posts * 4 // 5, release) if rate and release else day, keyed=keyed
        )
        self.truth = day.truth.document()

    async def send(self, lines: Iterable[bytes] | AsyncIterable[bytes], *, keyed: bool) -> None:
        """Lines into the raw topic, by a producer of their own."""
        producer = AIOKafkaProducer(
            **client_options(self.settings.kafka),
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=2**18,
        )
        await producer.start()
        try:
            await replay(lines, producer, self.settings.kafka.topics.raw, keyed=keyed)
        finally:
            await producer.stop()

    async def posts(self) -> int:
        """Records counted so far, whatever their outcome."""
        redis = connect(self.settings.redis, retries=3)
        try:
            return (await read_totals(self.settings, redis))["posts"]
        finally:
            await redis.aclose()

    async def totals(self) -> dict[str, Any]:
        """The document of all totals."""
        redis = connect(self.settings.redis, retries=3)
        try:
            return await total_document(Reader(redis, Layout(self.settings.redis.prefix)))
        finally:
            await redis.aclose()

    async def wait_for(self, posts: int) -> dict[str, Any]:
        """Totals once so many records are counted; fails with the workers' logs after a while."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            found = await self.posts()
            if found >= posts:
                return await self.totals()
            if time.monotonic() > deadline or not any(worker.running for worker in self.workers):
                logs = "\n".join(
                    f"{worker.name}:\n{worker.log_tail(20)}" for worker in self.workers
                )
                pytest.fail(f"{found} of {posts} records counted\n{logs}")
            await asyncio.sleep(0.2)

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """Everything in a topic."""
        consumer = AIOKafkaConsumer(
            topic,
            **client_options(self.settings.kafka),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            await consumer._client.fetch_all_metadata()
            partitions = [
                TopicPartition(topic, p) for p in consumer.partitions_for_topic(topic) or ()
            ]
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            for partition, end in ends.items():
                while await consumer.position(partition) < end:
                    for records in (await consumer.getmany(timeout_ms=500)).values():
                        found += records
            return found
        finally:
            await consumer.stop()

    def stop(self) -> None:
        for worker in self.workers:
            worker.stop()


@pytest.fixture
def new_pipeline(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Pipeline]]:
    """Makes a pipeline in an input mode; its workers end with the test."""
    made: list[Pipeline] = []

    def make(mode: str, **kafka: Any) -> Pipeline:
        changed = settings.kafka.model_copy(update={"input": mode, **kafka})
        pipeline = Pipeline(settings.model_copy(update={"kafka": changed}), tmp_path)
        made.append(pipeline)
        return pipeline

    yield make
    for pipeline in made:
        pipeline.stop()
