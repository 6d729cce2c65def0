"""The Faust app: which topics are read, and by which agents.

    posts.raw ──(any)── forward ──> posts.keyed ── count ──> Redis, posts.classified, posts.dead

With `kafka.input = "keyed"` producers key by uid themselves and `count` reads `posts.raw`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast
from uuid import uuid4

import faust
from faust.types import StreamT
from mode.supervisors import OneForOneSupervisor
from yarl import URL

from streams.config import KafkaSettings
from streams.consuming import Batch
from streams.kafka import faust_credentials
from streams.transport import BatchConsumer, BatchTopic, BatchTransport

Deliver = Callable[[Batch], Awaitable[None]]
_SHUTDOWN_SECONDS: Final = 6.0
_EVENTS: Final = 4096  # in Faust's own buffer of a partition; `streams.ahead` allows fewer
_RESTARTS_AT_ONCE: Final = 1000.0  # more actors than a worker has partitions


class _Restarts(OneForOneSupervisor):
    """Starts cancelled actors again, any number at once.

    mode means a hundred restarts a second, but its bucket holds one: with the second actor that a
    rebalance cancels in the same hundredth of a second, the worker would end.
    """

    logger = logging.getLogger("faust.agents.restarts")  # as quiet as Faust's own

    def __init__(self, *services: Any, **options: Any) -> None:
        super().__init__(*services, **(options | {"over": _RESTARTS_AT_ONCE}))


def build_app(kafka: KafkaSettings, *, count: Deliver, forward: Deliver | None) -> faust.App:
    """A Faust app whose agents hand batches to `count` and, in mode `any`, to `forward`."""
    app = faust.App(
        kafka.group,
        broker=[URL(f"kafka://{broker}") for broker in kafka.brokers],
        broker_credentials=faust_credentials(kafka),
        broker_max_poll_records=kafka.max_poll_records,
        broker_session_timeout=kafka.session_timeout,
        broker_heartbeat_interval=kafka.session_timeout / 10,
        broker_request_timeout=max(kafka.session_timeout * 2, kafka.request_timeout),
        # A rebalance waits for the slowest member's batch in hand.
        broker_rebalance_timeout=kafka.session_timeout,
        consumer_max_fetch_size=kafka.fetch_bytes,
        # New partitions of a topic are seen within a minute (Faust: five).
        consumer_metadata_max_age_ms=60_000,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=kafka.instance_id,
        stream_buffer_maxsize=_EVENTS,
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        datadir=tempfile.mkdtemp(prefix=f"streams-{uuid4().hex[:8]}-"),
    )
    app.transport = BatchTransport(
        [URL(f"kafka://{broker}") for broker in kafka.brokers],
        app,
        batches_ahead=kafka.buffered_batches,  # memory is bounded by records x partitions
    )

    async def hand_over(batch: Batch, deliver: Deliver) -> None:
        try:
            await deliver(batch)
        finally:
            cast("BatchConsumer", app.consumer).finished(batch)

    def batches(topic: str) -> BatchTopic:
        return BatchTopic(app, topics=[topic], acks=False)

    counted = kafka.topics.keyed if forward is not None else kafka.topics.raw

    # Isolated: one actor a partition, so that one slow partition holds up no other.
    alone: Any = {"isolated_partitions": True, "supervisor_strategy": _Restarts}

    @app.agent(batches(counted), name="count", **alone)
    async def count_posts(stream: StreamT[Any]) -> None:
        async for batch in stream:
            await hand_over(batch, count)

    if forward is not None:
        forward_batch = forward

        @app.agent(batches(kafka.topics.raw), name="forward", **alone)
        async def forward_posts(stream: StreamT[Any]) -> None:
            async for batch in stream:
                await hand_over(batch, forward_batch)

    return app
