"""How far behind the partitions of a process are: measured each second, for metrics and readers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from faust.types import TP

from streams.consuming import BatchThread
from streams.forward import Forwarder
from streams.keys import Layout, PartitionKeys
from streams.observe import WorkerObserver
from streams.partition import Partition
from streams.store.commit import Redis

_BEGIN_MS: Final = 60_000  # between two looks at where the logs begin


class LagReport:
    """Asks Kafka where the logs end, and tells the metrics and Redis what is not counted yet."""

    def __init__(
        self,
        *,
        redis: Redis,
        layout: Layout,
        observer: WorkerObserver,
        thread: Callable[[], BatchThread],
    ) -> None:
        self._redis = redis
        self._layout = layout
        self._observer = observer
        self._thread = thread
        self._begins: dict[TP, int] = {}  # where the logs began
        self._looked_at = 0  # ms

    async def measure(
        self, partitions: Mapping[TP, Partition], forwarders: Mapping[TP, Forwarder]
    ) -> dict[TP, int]:
        """Publish lag as metrics; where the logs of the counted partitions end, for readers."""
        owned = {*partitions, *forwarders}
        if not owned:
            return {}
        ends = await self._thread().end_offsets(owned)
        read_to = await self._thread().read_to(owned)
        now = int(time.time() * 1000)
        if now - self._looked_at > _BEGIN_MS or self._begins.keys() != owned:
            self._begins = await self._thread().begin_offsets(owned)
            self._looked_at = now
        for tp, forwarder in forwarders.items():
            if tp in ends and tp in read_to:
                behind = forwarder.lag(self._begins.get(tp, 0), ends[tp], *read_to[tp])
                if behind is not None:
                    self._observer.forward_lag(tp.partition, behind)
        told: dict[TP, int] = {}
        for tp, partition in partitions.items():
            end = ends.get(tp)
            if end is None:
                continue
            if tp in read_to:
                behind = partition.lag(self._begins.get(tp, 0), end, *read_to[tp])
                if behind is not None:
                    self._observer.lag(tp.partition, behind)
                if behind == 0 and partition.offset is not None:
                    end = partition.offset  # readers take a partition as drained by this
            told[tp] = end
        return told

    async def publish(self, partitions: Mapping[TP, Partition], ends: Mapping[TP, int]) -> None:
        """What readers want to know of each partition: its log's begin and end, and if it is
        paused.  Raises what Redis raises."""
        now = int(time.time() * 1000)
        writes: list[Awaitable[Any]] = []
        for tp, partition in partitions.items():
            end = ends.get(tp)
            if end is None:
                continue
            keys: PartitionKeys = self._layout.partition(tp.topic, tp.partition)
            live: dict[str, str | int] = {"begin": self._begins.get(tp, 0), "end": end, "at": now}
            if partition.paused:
                live["paused"] = partition.paused
            else:
                writes.append(self._redis.hdel(keys.live, "paused"))
            writes.append(self._redis.hset(keys.live, mapping=live))
        await asyncio.gather(*writes)
