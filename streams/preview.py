"""What a campaign would find in the last hour of a topic, before anybody counts it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.campaigns import Campaign
from streams.classify import Classifier
from streams.config import Settings
from streams.errors import UserError
from streams.kafka import client_options, unreachable
from streams.posts import Post, Unreadable, decode
from streams.reading import platform_of

HOUR_MS: Final = 3_600_000
_EXAMPLES: Final = 5
_SECONDS: Final = 120.0  # for all of it


class Preview(msgspec.Struct):
    """`read` posts of `records` records, from `since` to `until` (ms, record timestamps)."""

    since: int | None = None
    until: int | None = None
    records: int = 0
    read: int = 0
    matched: int = 0
    whole: bool = True  # False: the hour has more records than were looked at
    via: Counter[str] = msgspec.field(default_factory=Counter)
    stance: Counter[str] = msgspec.field(default_factory=Counter)
    examples: list[str] = []  # uids, the newest of what was read

    def add(self, records: Iterable[Any], classifier: Classifier) -> None:
        """Look at records; texts are not kept."""
        for record in records:
            self.records += 1
            try:
                post = decode(record.value, platform_of(record))
            except Unreadable:
                continue
            if not isinstance(post, Post):
                continue
            self.read += 1
            for membership in classifier.classify(post):
                self.matched += 1
                self.via[membership.via] += 1
                self.stance[membership.stance] += 1
                self.examples = [post.uid, *self.examples][:_EXAMPLES]


async def preview(settings: Settings, campaign: Campaign, most: int) -> Preview:
    """The newest hour of the raw topic by its records' timestamps; at most `most` records, an equal
    share of each partition.  Raises `UserError`."""
    topic = settings.kafka.topics.raw
    consumer = AIOKafkaConsumer(**client_options(settings.kafka), enable_auto_commit=False)
    found = Preview()
    try:
        await consumer.start()
        async with asyncio.timeout(_SECONDS):
            await _read(consumer, topic, found, Classifier([campaign]), most)
    except (KafkaError, OSError) as error:
        raise unreachable(settings.kafka, error) from error
    except TimeoutError as error:
        raise UserError(
            f"topic {topic}: an hour could not be read in {_SECONDS:.0f} s: lower --records"
        ) from error
    finally:
        await consumer.stop()
    return found


async def _read(
    consumer: AIOKafkaConsumer, topic: str, found: Preview, classifier: Classifier, most: int
) -> None:
    cluster: Any = await consumer._client.fetch_all_metadata()
    partitions = [
        TopicPartition(topic, n) for n in sorted(cluster.partitions_for_topic(topic) or ())
    ]
    if not partitions:
        raise UserError(f"Kafka has no topic {topic}: streams check --create-topics makes it")
    consumer.assign(partitions)
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    filled = [tp for tp in partitions if ends[tp] > begins[tp]]
    newest = 0
    for tp in filled:
        consumer.seek(tp, ends[tp] - 1)
        record = await consumer.getone(tp)
        newest = max(newest, record.timestamp)
    if not filled:
        return
    found.until, found.since = newest, newest - HOUR_MS
    starts = await consumer.offsets_for_times(dict.fromkeys(filled, found.since))
    left = set()
    for tp in filled:
        start = starts[tp].offset if starts.get(tp) else ends[tp]
        first = max(start, ends[tp] - max(1, most // len(filled)))
        found.whole &= first == start
        consumer.seek(tp, first)
        if first < ends[tp]:
            left.add(tp)
    while left:
        for tp, records in (await consumer.getmany(*left, timeout_ms=500)).items():
            found.add([record for record in records if record.offset < ends[tp]], classifier)
            if await consumer.position(tp) >= ends[tp]:
                left.discard(tp)
