"""`streams dead`: what was refused is listed, and goes back once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from streams.dead import list_dead, replay_dead
from streams.kafka import client_options, ensure_topics
from tests.integration.pipeline import Pipeline
from tests.protocol.fakes import START_MS, post

LETTERS = ((b"{", "json", "0"), (b"", "empty", "1"), (b"{", "json", "0"), (post(3), "json", "2"))


async def test_letters_are_listed_and_sent_back_once(
    new_pipeline: Callable[..., Pipeline],
) -> None:
    pipeline = new_pipeline("keyed")
    settings, kafka = pipeline.settings, pipeline.settings.kafka
    await ensure_topics(kafka)
    producer = AIOKafkaProducer(**client_options(kafka))
    await producer.start()
    for value, reason, offset in LETTERS:  # the third is the first again, as after a crash
        await producer.send_and_wait(
            kafka.topics.dead,
            value,
            key=b"k",
            partition=1,
            timestamp_ms=START_MS + int(offset),
            headers=[
                ("platform", b"x"),
                ("reason", reason.encode()),
                ("detail", b"at byte 1"),
                ("source-topic", kafka.topics.raw.encode()),
                ("source-partition", b"3"),
                ("source-offset", offset.encode()),
            ],
        )
    await producer.send_and_wait(kafka.topics.dead, b"by hand", partition=0)
    await producer.stop()

    out = io.StringIO()
    await list_dead(settings, reason=None, limit=20, as_json=True, out=out)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(d["reason"], d["partition"], d["offset"]) for d in found] == [
        ("json", 3, 0), ("empty", 3, 1), ("json", 3, 2),
    ]  # fmt: skip
    out = io.StringIO()
    await list_dead(settings, reason="empty", limit=20, as_json=False, out=out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "3 dead letters"
    assert lines[-1].endswith(f"{kafka.topics.raw}:3:1  0 bytes  empty: at byte 1")

    said = io.StringIO()
    await replay_dead(settings, reason="empty", again=False, out=said)
    await replay_dead(settings, reason=None, again=False, out=said)
    await replay_dead(settings, reason=None, again=False, out=said)
    assert [line.split()[0] for line in said.getvalue().splitlines()] == ["1", "3", "0"]
    back = await pipeline.records(kafka.topics.raw)
    assert sorted(bytes(r.value) for r in back) == sorted([b"", b"{", b"", post(3)])
    assert {(r.key, r.partition, r.headers) for r in back} == {(b"k", 3, (("platform", b"x"),))}
