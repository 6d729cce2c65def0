"""Records that cannot be read: a dead letter each, byte for byte, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer

from streams.kafka import client_options, ensure_topics
from tests.integration.pipeline import Pipeline
from tests.protocol.fakes import START_MS, post

LARGEST = 2**20 - 200  # the topic's max.message.bytes, less the record batch's own
POISON: tuple[bytes | None, ...] = (
    None,
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"\xff\xfe\x00",
    b'{"data":{"id":"1","text":"\\ud800","author_id":"1","created_at":"2017-10-15T10:00:00Z"}}',
    b'{"data":{"id":1.5,"text":{},"author_id":[],"created_at":12}}',
    b'{"data":{"id":"1","text":"a","author_id":"1","created_at":"1970-01-01T00:00:00Z"}}',
    b'{"data":{"id":"1","text":"a","author_id":"1","created_at":"9999-12-31T23:59:59Z"}}',
    b"x" * LARGEST,
    post(1)[:-20],
)


@pytest.mark.parametrize("mode", ["keyed", "any"])
async def test_poison_is_set_aside_and_its_neighbours_count(
    new_pipeline: Callable[..., Pipeline], mode: str
) -> None:
    pipeline = new_pipeline(mode)
    kafka = pipeline.settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka), max_request_size=2**21)
    await producer.start()
    for number, value in enumerate(POISON):
        for record, key in (
            (post(number), b"x:%d" % (919_000_000_000_000_000 + number)),
            (value, b"k"),
        ):
            await producer.send_and_wait(
                kafka.topics.raw, record, key=key, partition=0, timestamp_ms=START_MS + 60_000
            )
    await producer.stop()
    pipeline.start_worker()
    counted = await pipeline.wait_for(2 * len(POISON))
    assert (counted["counted"], counted["dead"]) == (len(POISON), len(POISON))
    letters = await pipeline.records(kafka.topics.dead)
    assert [letter.key for letter in letters] == [b"k"] * len(POISON)
    assert sorted((letter.value or b"-") for letter in letters) == sorted(
        (value or b"-") for value in POISON
    )
    assert all(dict(letter.headers)["reason"] for letter in letters)
