"""Faults of the broker and of the topics that workers write to."""

from __future__ import annotations

import asyncio
import random
from typing import ClassVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.kafka import TOPIC_CONFIGS
from tests.faults.fault import Fault, register
from tests.faults.stage import Stage


@register
class BrokerKilled(Fault):
    """SIGKILL, and the broker again on the same data."""

    name = "broker killed"
    hold = (0.0, 3.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.kafka.kill()

    def heal(self, stage: Stage) -> None:
        stage.kafka.start()


@register
class BrokerRestarted(Fault):
    """SIGTERM: connections are closed in order."""

    name = "broker restarted"
    hold = (0.0, 1.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        stage.kafka.stop()

    def heal(self, stage: Stage) -> None:
        stage.kafka.start()


class _TopicRefuses(Fault):
    """Not a byte fits into a record of the topic: what is written there is refused."""

    hold = (3.0, 5.0)
    waits = True
    output: ClassVar[str]

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self._topic = getattr(stage.settings.kafka.topics, self.output)
        asyncio.run(limit(stage.kafka.bootstrap, self._topic, 1))

    def heal(self, stage: Stage) -> None:
        size = stage.settings.kafka.dead_record_bytes
        asyncio.run(limit(stage.kafka.bootstrap, self._topic, size))


@register
class DeadRefuses(_TopicRefuses):
    name = "posts.dead not writable"
    output = "dead"


@register
class ClassifiedRefuses(_TopicRefuses):
    name = "posts.classified not writable"
    output = "classified"


async def limit(bootstrap: str, topic: str, size: int) -> None:
    """Set the topic's largest record, in bytes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        # What is not named goes back to its default.
        settings = {**TOPIC_CONFIGS, "max.message.bytes": str(size)}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=settings)
        await admin.alter_configs([resource])
    finally:
        await admin.close()
