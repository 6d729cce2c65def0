"""The log that is counted again: where times are in it, and its records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.config import KafkaSettings
from streams.errors import UserError
from streams.kafka import client_options
from streams.store.recount import Bounds

_POLL_MS: Final = 200


class Span(NamedTuple):
    """Where a partition is read from, counted from, and its log's ends; `first_ms`: the timestamp
    of the first record that counts, None where there is none yet."""

    bounds: Bounds
    begin: int
    end: int
    first_ms: int | None


class LogReader:
    """All partitions of a topic; `read_committed`, as the workers."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._topic = topic
        self._next: dict[int, int] = {}
        self._consumer = AIOKafkaConsumer(
            **client_options(kafka),
            enable_auto_commit=False,
            isolation_level="read_committed",
            auto_offset_reset="none",
        )

    async def start(self) -> list[int]:
        """Connect; the partitions.  Raises `UserError` without such a topic, and `KafkaError`."""
        await self._consumer.start()
        cluster: Any = await self._consumer._client.fetch_all_metadata()
        partitions = sorted(cluster.partitions_for_topic(self._topic) or ())
        if not partitions:
            raise UserError(
                f"Kafka has no topic {self._topic}: streams check --create-topics makes what is "
                "missing, and workers have to count it first"
            )
        return partitions

    async def stop(self) -> None:
        await self._consumer.stop()

    async def spans(self, partitions: Sequence[int], since: int, before: int) -> dict[int, Span]:
        """Where `since` is in each partition, and where what is read for `before` ms before it."""
        tps = [TopicPartition(self._topic, number) for number in partitions]
        begins = await self._consumer.beginning_offsets(tps)
        ends = await self._consumer.end_offsets(tps)
        reads = await self._consumer.offsets_for_times(dict.fromkeys(tps, max(0, since - before)))
        counts = await self._consumer.offsets_for_times(dict.fromkeys(tps, since))
        found: dict[int, Span] = {}
        for tp in tps:
            count, read = counts[tp], reads[tp]
            # Where no record is so new, what comes from here on counts.
            first = ends[tp] if count is None else max(count.offset, begins[tp])
            start = first if read is None else max(read.offset, begins[tp])
            found[tp.partition] = Span(
                Bounds(min(start, first), first),
                begins[tp],
                ends[tp],
                None if count is None else count.timestamp,
            )
        self._consumer.assign(tps)
        for tp in tps:
            self._seek(tp, found[tp.partition].bounds.read_from)
        return found

    async def fetch(self, partition: int, offset: int) -> list[Any]:
        """Some records from `offset` on, none where none came in a moment."""
        tp = TopicPartition(self._topic, partition)
        if self._next.get(partition) != offset:
            self._seek(tp, offset)
        found: list[Any] = (await self._consumer.getmany(tp, timeout_ms=_POLL_MS)).get(tp, [])
        if found:
            self._next[partition] = found[-1].offset + 1
        return found

    def _seek(self, tp: TopicPartition, offset: int) -> None:
        self._consumer.seek(tp, offset)
        self._next[tp.partition] = offset
