"""`streams_lag_posts` of a drained log is 0, whatever stands at its end."""

from __future__ import annotations

from collections.abc import Callable
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka import client_options, ensure_topics
from tests.integration.pipeline import Pipeline
from tests.protocol.fakes import START_MS, post


def lags(pipeline: Pipeline, name: str) -> list[float]:
    """One a partition."""
    with urlopen(f"http://127.0.0.1:{pipeline.ports[0]}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return [float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name}{{")]


@pytest.mark.parametrize("mode", ["keyed", "any"])
async def test_a_drained_log_has_no_lag_behind_transactions(
    new_pipeline: Callable[..., Pipeline], unique: str, mode: str
) -> None:
    """A transaction ends in a marker, which has an offset and is no record; here the last one is
    aborted as well.  Some partitions never get a record."""
    pipeline = new_pipeline(mode)
    kafka = pipeline.settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka), transactional_id=unique)
    await producer.start()
    try:
        for first, commit in ((0, True), (5, True), (10, False)):
            await producer.begin_transaction()
            for number in range(first, first + 5):
                await producer.send(
                    kafka.topics.raw, post(number), key=b"k", partition=0, timestamp_ms=START_MS
                )
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()
    worker = pipeline.start_worker()
    await pipeline.wait_for(10)
    worker.wait_ready(lambda: lags(pipeline, "streams_lag_posts") == [0.0] * 4)
    if mode == "any":
        worker.wait_ready(lambda: lags(pipeline, "streams_forward_lag_posts") == [0.0] * 4)
