"""A record that the broker refuses is an error each time, and none once it is taken."""

from __future__ import annotations

import time
from functools import partial

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.config import Settings
from streams.kafka import client_options, ensure_topics
from streams.producing import Delivery, LastingProducer
from tests.faults.on_kafka import limit


async def deliver(producer: LastingProducer, topic: str, values: list[bytes]) -> None:
    delivery = Delivery(producer)
    for value in values:
        await delivery.add(topic, b"k", key=b"k", value=value, timestamp=1, headers=[])
    await delivery.acknowledged()


async def until_refused(producer: LastingProducer, topic: str, values: list[bytes]) -> None:
    """A broker takes a new configuration up some time after it said yes."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            await deliver(producer, topic, values)
        except KafkaError:
            return
    pytest.fail("the broker refuses nothing")


async def test_a_refused_record_is_written_once_it_fits(settings: Settings) -> None:
    """aiokafka's producer alone answers OutOfOrderSequenceNumber from the first refusal on."""
    kafka = settings.kafka
    await ensure_topics(kafka)
    topic, values = kafka.topics.dead, [b"a" * 1000, b"b" * 1000, b"c" * 1000]
    options = {"enable_idempotence": True, "acks": "all", "max_batch_size": 1500}
    producer = LastingProducer(partial(AIOKafkaProducer, **client_options(kafka), **options))
    await producer.start()
    try:
        await deliver(producer, topic, [b"first"])
        await limit(kafka.brokers[0], topic, 500)
        await until_refused(producer, topic, values)
        for _ in range(2):
            with pytest.raises(KafkaError):
                await deliver(producer, topic, values)
        await limit(kafka.brokers[0], topic, kafka.dead_record_bytes)
        await deliver(producer, topic, values)
    finally:
        await producer.stop()
