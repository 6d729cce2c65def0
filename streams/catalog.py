"""Campaigns from a compacted topic, over those of files: added and ended while workers run.

A record's key is the campaign's name, its value the campaign's TOML; no value ends what the topic
said of that campaign.  The topic has one partition, so that all workers see changes in one order.
A worker reads it to its end before it counts, and follows it; a change applies from each
partition's next batch, which notes the offset (`streams.store.rules`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.campaigns import Campaign, CampaignError, parse
from streams.config import KafkaSettings
from streams.errors import UserError
from streams.kafka import client_options

log: Final = logging.getLogger(__name__)

_POLL_MS: Final = 1000
_RETRY_SECONDS: Final = 2.0


class Catalog:
    """The campaigns in force, as far as the topic was read.

    A record that is no campaign, or one of another name than its key, is said and left out: what
    held before it holds.
    """

    def __init__(self, files: Sequence[Campaign]) -> None:
        self.position = 0  # next offset of the topic
        self.of_files = {campaign.name: campaign for campaign in files}
        self.of_topic: dict[str, Campaign] = {}

    def campaigns(self) -> list[Campaign]:
        """Those of files in their order, then those that only the topic has, by name."""
        found = self.of_files | dict(sorted(self.of_topic.items()))
        return list(found.values())

    def take(self, offset: int, key: bytes | None, value: bytes | None) -> bool:
        """One record; whether it changed anything."""
        self.position = offset + 1
        name = (key or b"").decode("utf-8", "replace")
        if value is None:
            return self.of_topic.pop(name, None) is not None
        try:
            campaign = parse(value.decode(), name)
            if campaign.name != name:
                raise CampaignError(f"key {name!r}, but name {campaign.name!r}")
        except (CampaignError, UnicodeDecodeError) as error:
            log.error("campaigns topic, offset %d: left out: %s", offset, error)
            return False
        changed = self.of_topic.get(name) != campaign
        self.of_topic[name] = campaign
        return changed


class CatalogReader:
    """Reads the topic into a catalog."""

    def __init__(self, kafka: KafkaSettings, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tp = TopicPartition(kafka.topics.campaigns, 0)
        self._consumer = AIOKafkaConsumer(
            **client_options(kafka), enable_auto_commit=False, isolation_level="read_committed"
        )

    async def start(self) -> None:
        """Connect, and read the topic to its end.  Raises `UserError` and `KafkaError`."""
        await self._consumer.start()
        cluster: Any = await self._consumer._client.fetch_all_metadata()
        partitions = cluster.partitions_for_topic(self._tp.topic)
        if not partitions:
            raise UserError(
                f"Kafka has no topic {self._tp.topic}: "
                "streams check --create-topics makes what is missing"
            )
        if len(partitions) > 1:
            raise UserError(
                f"topic {self._tp.topic} has {len(partitions)} partitions: it needs one, so that "
                "all workers see changes in one order"
            )
        self._consumer.assign([self._tp])
        end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        begin = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        # An offset: `seek_to_beginning` may lose against the client's own reset, to the end.
        self._consumer.seek(self._tp, begin)
        while await self._consumer.position(self._tp) < end:
            await self._poll()

    async def follow(self, changed: Callable[[list[Campaign]], Awaitable[None]]) -> None:
        """Until cancelled: wait for changes, and tell what is in force after each."""
        while True:
            try:
                if await self._poll():
                    await changed(self._catalog.campaigns())
            except (KafkaError, OSError) as error:
                log.warning("the campaigns topic cannot be read: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def stop(self) -> None:
        await self._consumer.stop()

    async def _poll(self) -> bool:
        fetched = await self._consumer.getmany(self._tp, timeout_ms=_POLL_MS)
        records = [record for found in fetched.values() for record in found]
        taken = [self._catalog.take(one.offset, one.key, one.value) for one in records]
        return any(taken)
