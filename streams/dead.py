"""`streams dead`: what was refused and why, and the way back to the raw topic.

A worker may write a dead letter again after a crash: here each is taken once, by its source.
What is sent back is remembered as a committed offset of a consumer group of its own, so that the
same letters are not sent twice unless that is asked for.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TextIO

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.config import Settings
from streams.errors import UserError
from streams.kafka import client_options, unreachable

_POLL_MS: Final = 500
_OURS: Final = frozenset({"reason", "detail", "source-topic", "source-partition", "source-offset"})


class Letter(NamedTuple):
    """One dead letter; `source` is topic, partition and offset of the raw record."""

    record: Any
    reason: str
    detail: str
    source: tuple[str, str, str]

    def document(self) -> dict[str, Any]:
        """Without the record's key and value: they may hold what somebody wrote."""
        topic, partition, offset = self.source
        at = datetime.fromtimestamp(self.record.timestamp / 1000, UTC)
        return {
            "reason": self.reason,
            "detail": self.detail,
            "topic": topic,
            "partition": int(partition),
            "offset": int(offset),
            "bytes": len(self.record.value or b""),
            "timestamp": at.isoformat(timespec="milliseconds"),
        }


def letter_of(record: Any) -> Letter | None:
    """None for a record that no worker wrote."""
    headers = {name: value.decode("utf-8", "replace") for name, value in record.headers}
    topic, partition, offset = (
        headers.get(f"source-{n}") for n in ("topic", "partition", "offset")
    )
    if topic is None or partition is None or offset is None:
        return None
    if not (partition.isdecimal() and offset.isdecimal()):
        return None
    source = (topic, partition, offset)
    return Letter(record, headers.get("reason", "unknown"), headers.get("detail", ""), source)


@asynccontextmanager
async def _consumer(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(settings.kafka),
        group_id=f"{settings.kafka.group}-dead",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _letters(
    settings: Settings, consumer: AIOKafkaConsumer, *, again: bool
) -> AsyncIterator[list[Letter]]:
    """The topic's letters up to its end, in batches; all (`again`), or what was not sent back."""
    topic = settings.kafka.topics.dead
    cluster = await consumer._client.fetch_all_metadata()
    partitions = [TopicPartition(topic, p) for p in cluster.partitions_for_topic(topic) or ()]
    if not partitions:
        raise UserError(f"topic {topic} is missing: streams check --create-topics makes it")
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    begins = await consumer.beginning_offsets(partitions)
    for place in partitions:
        done = None if again else await consumer.committed(place)
        consumer.seek(place, max(begins[place], done or 0))
    seen: set[tuple[str, str, str]] = set()
    while [p for p in partitions if await consumer.position(p) < ends[p]]:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS)
        batch = []
        for records in fetched.values():
            for record in records:
                letter = letter_of(record)
                if letter is not None and letter.source not in seen:
                    seen.add(letter.source)
                    batch.append(letter)
        yield batch


async def list_dead(
    settings: Settings, *, reason: str | None, limit: int, as_json: bool, out: TextIO = sys.stdout
) -> int:
    """Letters by reason, and the newest of them; one JSON object a letter with `as_json`."""
    reasons: Counter[str] = Counter()
    newest: list[Letter] = []
    try:
        async with _consumer(settings) as consumer:
            async for batch in _letters(settings, consumer, again=True):
                for letter in batch:
                    reasons[letter.reason] += 1
                    if reason in (None, letter.reason):
                        newest.append(letter)
                newest.sort(key=lambda letter: letter.record.timestamp)
                del newest[: max(0, len(newest) - limit)]
    except (KafkaError, OSError) as error:
        raise unreachable(settings.kafka, error) from error
    for line in _lines(reasons, newest, as_json=as_json):
        print(line, file=out)
    return 0


def _lines(reasons: Counter[str], newest: list[Letter], *, as_json: bool) -> Iterator[str]:
    if as_json:
        yield from (json.dumps(letter.document(), ensure_ascii=False) for letter in newest)
        return
    if not reasons:
        yield "no dead letters"
        return
    yield f"{reasons.total()} dead letters"
    yield from (f"{count:>10}  {reason}" for reason, count in reasons.most_common())
    for letter in newest:
        found = letter.document()
        place = f"{found['topic']}:{found['partition']}:{found['offset']}"
        size = f"{found['bytes']} bytes"
        yield f"{found['timestamp']}  {place}  {size}  {letter.reason}: {letter.detail}"


async def replay_dead(
    settings: Settings, *, reason: str | None, again: bool, out: TextIO = sys.stdout
) -> int:
    """Send letters back to the raw topic as they came: key, value, timestamp, own headers, and the
    partition that they stood in.  At least once: repeats are told by their uids."""
    raw = settings.kafka.topics.raw
    sent = left = 0
    producer = AIOKafkaProducer(
        **client_options(settings.kafka),
        enable_idempotence=True,
        compression_type=settings.kafka.codec,
        max_request_size=settings.kafka.dead_record_bytes,
    )
    try:
        await producer.start()
        known = await producer.partitions_for(raw)
        async with _consumer(settings) as consumer:
            async for batch in _letters(settings, consumer, again=again):
                chosen = [letter for letter in batch if reason in (None, letter.reason)]
                for future in [await _send(producer, raw, known, one) for one in chosen]:
                    await future
                sent += len(chosen)
                left += len(batch) - len(chosen)
                if reason is None:  # else what was left out would never be sent
                    await consumer.commit()
    except (KafkaError, OSError) as error:
        raise unreachable(settings.kafka, error) from error
    finally:
        await producer.stop()
    rest = f", {left} of other reasons left" if left else ""
    print(f"{sent} dead letters sent to {raw}{rest}", file=out)
    return 0


async def _send(producer: AIOKafkaProducer, raw: str, known: set[int], letter: Letter) -> Any:
    record, place = letter.record, int(letter.source[1])
    return await producer.send(
        raw,
        value=record.value,
        key=record.key,
        partition=place if place in known else None,
        timestamp_ms=record.timestamp,
        headers=[(name, value) for name, value in record.headers if name not in _OURS],
    )
