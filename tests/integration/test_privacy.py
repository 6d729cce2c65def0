"""No text and no author id in any log line, at the most talkative level, whatever is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from aiokafka import AIOKafkaProducer

from streams.kafka import client_options, ensure_topics
from tests.integration.pipeline import Pipeline
from tests.protocol.fakes import START_MS, post

AUTHOR = "770077007700770077"
TEXT = "lighthouse keepers whistle"  # what nobody else writes


def private(number: int, **changes: object) -> bytes:
    """A post with the author and the text that must not be seen."""
    line = orjson.loads(post(number, f"#MeToo {TEXT}"))
    line["data"] |= {"author_id": AUTHOR, **changes}
    return orjson.dumps(line)


def damaged() -> list[bytes]:
    """Each cannot be read, for a reason of its own; all hold text and author."""
    whole = private(1)
    deep = b'{"a":' * 2_000 + whole
    return [
        whole[:-4],
        whole.replace(b'"text"', b'"text\xff"'),
        whole.replace(b'"created_at":"2017', b'"created_at":"' + TEXT.encode()),
        private(2, text={"was": TEXT}),
        private(3, created_at=f"{TEXT} {AUTHOR}"),
        private(4, created_at="2031-01-01T00:00:00Z"),
        private(5, id=TEXT),
        private(6, lang=[TEXT]),
        orjson.dumps({TEXT: AUTHOR}),
        orjson.dumps([TEXT, AUTHOR]),
        deep,
    ]


async def test_logs_hold_neither_texts_nor_authors(new_pipeline: Callable[..., Pipeline]) -> None:
    pipeline = new_pipeline("keyed")
    kafka = pipeline.settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka))
    await producer.start()
    values = [*damaged(), *(private(number) for number in range(10, 60)), private(10)]
    for value in values:
        headers = [("platform", TEXT.encode())] if value == values[0] else None
        await producer.send_and_wait(
            *(kafka.topics.raw, value),
            **{"key": AUTHOR.encode(), "timestamp_ms": START_MS + 60_000, "headers": headers},
        )
    await producer.stop()
    first = pipeline.start_worker(extra={"STREAMS_LOG_LEVEL": "DEBUG"})
    counted = await pipeline.wait_for(len(values))
    assert counted["counted"] >= 49
    assert counted["dead"] >= 9
    await asyncio.to_thread(first.stop)
    logs = first.log.read_text()
    assert "DEBUG" in logs
    assert TEXT not in logs
    assert AUTHOR not in logs
