"""One worker process: the partitions that it is assigned, and what watches over them."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from faust.types import TP

from streams.campaigns import Campaign
from streams.campaigns.describe import describe
from streams.classify import Classifier
from streams.config import Settings
from streams.consuming import Batch, BatchThread, PartitionLog
from streams.deadletters import DeadLetterLimit
from streams.forward import Forwarder, committed_offsets
from streams.keys import Layout
from streams.lag import LagReport
from streams.murmur2 import partition_of
from streams.observe import WorkerObserver
from streams.outputs import KafkaOutputs
from streams.partition import RETRIED, Partition
from streams.ports import Wait
from streams.producing import LastingProducer
from streams.reading import Place, Record
from streams.settled import counted_topic, reading_rules
from streams.store.commit import PartitionStore, Redis
from streams.store.kinship import KinshipStore
from streams.store.layout import LayoutError, take
from streams.transport import BatchConsumer
from streams.writing import BatchWriter

log: Final = logging.getLogger(__name__)

_WATCH_SECONDS: Final = 1.0


class Worker:
    """The partitions of one process; Faust's consumer calls `on_assigned` and `on_revoked`."""

    def __init__(
        self,
        settings: Settings,
        *,
        redis: Redis,
        producer: LastingProducer,
        campaigns: Sequence[Campaign],
        observer: WorkerObserver,
    ) -> None:
        self.settings = settings
        self.partitions: dict[TP, Partition] = {}
        self.forwarders: dict[TP, Forwarder] = {}
        self.assigned_once = False
        self.waits: Wait | None = None  # while the watchdog's rounds fail
        self.stopping = False
        self.refused: LayoutError | None = None  # set where a newer worker took over Redis
        self.ended = asyncio.Event()
        self._redis = redis
        self._producer = producer
        self._classifier = Classifier(campaigns)
        self._described = _described(campaigns)
        self._observer = observer
        self._consumer: BatchConsumer | None = None
        self._layout = Layout(settings.redis.prefix)
        self._rules = reading_rules(settings)
        kafka = settings.kafka
        self._outputs = KafkaOutputs(
            producer,
            classified=kafka.topics.classified,
            dead=kafka.topics.dead,
            raw=kafka.topics.raw,
        )
        self._kinship = KinshipStore(redis, self._layout, observer.inherited)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lag = LagReport(
            redis=redis, layout=self._layout, observer=observer, thread=self._thread
        )

    async def use(self, campaigns: Sequence[Campaign]) -> None:
        """Other campaigns, from each partition's next batch on, which notes the offset."""
        self._classifier = await asyncio.to_thread(Classifier, campaigns)
        self._described = _described(campaigns)
        named = ", ".join(f"{campaign.name} {campaign.version}" for campaign in campaigns)
        log.info("campaigns from the next batch on: %s", named or "none")

    @property
    def counted_topic(self) -> str:
        return counted_topic(self.settings)

    def attach(self, consumer: BatchConsumer) -> None:
        self._consumer = consumer
        consumer.hooks = self

    def _thread(self) -> BatchThread:
        assert self._consumer is not None  # noqa: S101 - attached before the first hook
        return self._consumer.thread

    async def on_assigned(self, assigned: set[TP]) -> None:
        """A new assignment: every partition starts from what Redis and Kafka hold."""
        self._close_all()
        for tp in sorted(assigned):
            if tp.topic == self.counted_topic:
                self.partitions[tp] = self._new_partition(tp)
            else:
                self.forwarders[tp] = self._new_forwarder(tp)
        self.assigned_once = True
        self._observer.assigned({partition.name for partition in self.partitions.values()})
        self._spawn(self._start_all())

    async def on_revoked(self, revoked: set[TP]) -> None:
        """Wait, not for long, for batches in hand; the next owner counts what is not committed."""
        owned = self._owned()
        await self.drain(owned)
        self._close_all()

    async def drain(self, owned: list[Partition | Forwarder] | None = None) -> None:
        """Raises nothing: after `worker.drain` seconds what is in hand is left."""
        waiting = [item.drain() for item in owned or self._owned()]
        if waiting:
            seconds = self.settings.worker.drain
            try:
                await asyncio.wait_for(asyncio.gather(*waiting), seconds)
            except TimeoutError:
                log.warning("a batch in hand was not committed within %.0f s: it is left", seconds)

    def _owned(self) -> list[Partition | Forwarder]:
        return [*self.partitions.values(), *self.forwarders.values()]

    def _close_all(self) -> None:
        for item in self._owned():
            item.close()
        self.partitions = {}
        self.forwarders = {}

    async def count(self, batch: Batch) -> None:
        partition = self.partitions.get(batch.tp)
        if partition is not None and not self.stopping:
            # Shielded: a batch in hand is finished although its agent is cancelled.
            await asyncio.shield(self._spawn(self._unless_refused(partition.deliver(batch))))

    async def forward(self, batch: Batch) -> None:
        forwarder = self.forwarders.get(batch.tp)
        if forwarder is not None and not self.stopping:
            await asyncio.shield(self._spawn(forwarder.deliver(batch)))

    async def _unless_refused(self, work: Awaitable[None]) -> None:
        """A newer layout is nothing to wait out: this worker has to end."""
        try:
            await work
        except LayoutError as error:
            self.refused = error
            self.ended.set()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _start_all(self) -> None:
        with suppress(*RETRIED):  # the watchdog does it again
            await self._register()
        for item in self._owned():
            await self._check_one(item)

    def _new_partition(self, tp: TP) -> Partition:
        keys = self._layout.partition(tp.topic, tp.partition)
        dead = self.settings.dead
        store = PartitionStore(self._redis, keys)
        return Partition(
            name=f"{tp.topic}:{tp.partition}",
            log=PartitionLog(self._thread, tp),
            store=store,
            writer=BatchWriter(
                place=Place(tp.topic, tp.partition),
                store=store,
                outputs=self._outputs,
                observer=self._observer,
                kinship=self._kinship,
                rules=self._rules,
            ),
            observer=self._observer,
            limits=DeadLetterLimit(dead.consecutive, dead.window, dead.ratio),
            classifier=lambda: self._classifier,
            rules=self._rules,
            most=self.settings.commit.max_posts,
            patience=self.settings.commit.max_backoff,
            misplaced=partial(self._misplaced, tp),
        )

    def _new_forwarder(self, tp: TP) -> Forwarder:
        return Forwarder(
            partition=tp.partition,
            log=PartitionLog(self._thread, tp),
            producer=self._producer,
            topic=self.settings.kafka.topics.keyed,
            waiting=self._observer.waiting,
        )

    def _misplaced(self, tp: TP, records: Sequence[Record], uids: Sequence[str]) -> int:
        """How many are not keyed by their uid, and not where Kafka's default partitioner would
        have put them.

        Any partitioner puts equal keys together, so a record keyed by its uid is in its place.
        """
        keys = [uid.encode() for uid in uids]
        if keys == [record.key for record in records]:
            return 0
        partitions = self._thread().topic_partitions(tp.topic) or 1
        return sum(
            record.key != key and partition_of(key, partitions) != tp.partition
            for record, key in zip(records, keys, strict=True)
        )

    async def kafka_answers(self, seconds: float) -> bool:
        """Whether a broker answers within so many seconds."""
        if self._consumer is None:
            return False
        try:
            await asyncio.wait_for(self._producer.topics(), seconds)
        except (*RETRIED, TimeoutError):
            return False
        return True

    async def watch(self) -> None:
        """Every second while the process lives: rollbacks, lag, Kafka's committed offsets."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            failed: str | None = None
            for step in (self._check, self._publish, self.commit_to_kafka):
                try:
                    await asyncio.wait_for(step(), 10)
                except RETRIED as error:
                    failed = f"watch: {type(error).__name__}: {error}"
                    self._observer.waiting(failed)
                except Exception:  # the watchdog has to outlive what it watches
                    log.exception("watchdog: %s failed", step.__name__)
            since = self.waits.since if self.waits else time.monotonic()
            self.waits = None if failed is None else Wait(since, failed)

    async def _check(self) -> None:
        for item in self._owned():
            self._spawn(self._check_one(item))

    async def _check_one(self, item: Partition | Forwarder) -> None:
        try:
            await self._unless_refused(item.check())
        except RETRIED as error:
            self._observer.waiting(f"watch: {type(error).__name__}: {error}")

    async def _register(self) -> None:
        """Tell readers which partitions and campaigns there are; again and again, as Redis may
        have gone back in time."""
        await self._unless_refused(take(self._redis, self._layout))
        names = [f"{tp.topic}:{tp.partition}" for tp in self.partitions]
        if names:
            await self._redis.sadd(self._layout.partitions, *names)
        if self._described:
            await self._redis.hset(self._layout.campaigns, mapping=self._described)

    async def _publish(self) -> None:
        """Lag first: it has to be right also while Redis is away."""
        ends = await self._lag.measure(self.partitions, self.forwarders)
        if ends:
            await self._register()
            await self._lag.publish(self.partitions, ends)

    async def commit_to_kafka(self) -> None:
        """Offsets for lag tools and autoscalers, and the forwarding agent's; they follow after."""
        offsets = {tp: p.offset for tp, p in self.partitions.items() if p.offset is not None}
        offsets.update(committed_offsets(self.forwarders))
        if offsets:
            await self._thread().commit_offsets(offsets)


def _described(campaigns: Sequence[Campaign]) -> dict[str, str]:
    """What readers need of each campaign, as JSON."""
    return {
        campaign.name: json.dumps(describe(campaign), ensure_ascii=False) for campaign in campaigns
    }
