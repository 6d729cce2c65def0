"""The command `recount`: a campaign counted again since a time, while workers count on."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import typer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from redis.exceptions import RedisError

from streams.campaign_commands import catalog
from streams.campaigns.versions import revision
from streams.classify import Classifier
from streams.config import Settings
from streams.errors import UsageError, UserError
from streams.kafka import unreachable
from streams.keys import Layout
from streams.partition import RETRIED
from streams.reading import Place
from streams.recount.cut import parse_since
from streams.recount.log import LogReader, Span
from streams.recount.partition import (
    LostLog,
    PartitionRecount,
    TakenOver,
    Task,
)
from streams.recount.progress import Progress
from streams.redis_client import connect
from streams.redis_client import unreachable as redis_unreachable
from streams.retention import HOUR_MS
from streams.settled import counted_topic, reading_rules
from streams.store.commit import Moved
from streams.store.kinship import KinshipStore
from streams.store.layout import require
from streams.store.recount import RecountStore

_PATIENCE: Final = 60.0  # seconds that Kafka or Redis may be away
_PAUSE: Final = 0.05  # seconds, where nothing can be done
_APART_MS: Final = 10 * 60_000  # of the log's time, between partitions


async def recount(settings: Settings, name: str, since: str) -> int:
    """Count a campaign again from the log; exit status 0 once every partition is swapped.

    Raises `UsageError` for bad arguments and `UserError` where it cannot go on.
    """
    since_ms = parse_since(since, time.time())
    in_force = (await catalog(settings)).campaigns()
    campaign = {one.name: one for one in in_force}.get(name)
    if campaign is None:
        raise UsageError(f"there is no campaign {name}: streams campaign list")
    task = Task(campaign, in_force, since_ms, reading_rules(settings), settings.commit.max_posts)
    redis = connect(settings.redis)
    log = LogReader(settings.kafka, counted_topic(settings))
    try:
        try:
            await require(redis, Layout(settings.redis.prefix))
        except RETRIED as error:
            raise redis_unreachable(settings.redis, error) from error
        try:
            numbers = await log.start()
            spans = await log.spans(numbers, since_ms, task.rules.horizon_ms + HOUR_MS)
        except (KafkaError, OSError) as error:
            raise unreachable(settings.kafka, error) from error
        _say_what_is_missing(counted_topic(settings), spans, since_ms)
        await _Recount(settings, task, redis, log, spans).run()
    finally:
        await log.stop()
        await redis.aclose()
    return 0


class _Recount:
    """All partitions of the topic, in step."""

    def __init__(
        self,
        settings: Settings,
        task: Task,
        redis: Any,
        log: LogReader,
        spans: dict[int, Span],
    ) -> None:
        self._settings = settings
        self._task = task
        self._log = log
        self._spans = spans
        layout, topic = Layout(settings.redis.prefix), counted_topic(settings)
        name = task.campaign.name
        # Subjects of its own: what workers left of posts knows nothing of the campaign.
        kin = Layout(f"{settings.redis.prefix}recount:{name}:{task.revision}:{task.since}:")
        kinship = KinshipStore(redis, kin, lambda _hits, _misses: None)
        classifiers = Classifier([]), Classifier(task.in_force)
        self._stores = {
            number: RecountStore(redis, layout.partition(topic, number), name) for number in spans
        }
        self._partitions = [
            PartitionRecount(
                task,
                Place(topic, number),
                redis=redis,
                store=self._stores[number],
                kinship=kinship,
                classifiers=classifiers,
                bounds=span.bounds,
            )
            for number, span in spans.items()
            if span.end > span.begin
        ]
        self._progress = Progress(
            f"{name} {revision(task.campaign)}", self._partitions, terminal=sys.stdout.isatty()
        )
        self._failing_since: float | None = None

    async def run(self) -> None:
        """Until every partition is swapped, and is so still."""
        while True:
            left = [one for one in self._partitions if not one.done]
            if not left:
                if await self._all_hold():
                    break
                continue
            busy = await self._step_all(left)
            self._progress.show()
            if not busy:
                await asyncio.sleep(_PAUSE)
        self._progress.end()

    async def _step_all(self, left: Sequence[PartitionRecount]) -> bool:
        reading = [one.time for one in left if one.offset < one.target]
        latest = min(reading, default=0) + _APART_MS
        busy = False
        for one in left:
            # Subjects before their reposts, which may be in another partition.
            if reading and one.time > latest:
                continue
            busy |= await self._step(one)
        return busy

    async def _step(self, one: PartitionRecount) -> bool:
        number = one.place.partition

        async def fetch(offset: int) -> list[Any]:
            return await self._log.fetch(number, offset)

        try:
            busy = await one.step(fetch)
        except Moved:
            return False
        except (LostLog, OffsetOutOfRangeError) as error:
            await self._stores[number].drop(one.id)
            raise UserError(
                f"the log of {one.place.topic}:{number} lost records that were being counted "
                "(retention?): run the same command again, it begins anew"
            ) from error
        except TakenOver as error:
            raise UserError(
                f"another recount of {self._task.campaign.name} began after this one: nothing of "
                "this one is left to do"
            ) from error
        except RETRIED as error:
            await self._wait_out(error)
            return False
        self._failing_since = None
        return busy

    async def _wait_out(self, error: BaseException) -> None:
        now = time.monotonic()
        self._failing_since = self._failing_since or now
        if now - self._failing_since > _PATIENCE:
            if isinstance(error, RedisError):
                raise redis_unreachable(self._settings.redis, error) from error
            raise unreachable(self._settings.kafka, error) from error
        await asyncio.sleep(1)

    async def _all_hold(self) -> bool:
        try:
            return all([await one.verify() for one in self._partitions])
        except RETRIED as error:
            await self._wait_out(error)
            return False


def _say_what_is_missing(topic: str, spans: dict[int, Span], since: int) -> None:
    """Raises `UserError` where no record is as new as `since`."""
    firsts = [span.first_ms for span in spans.values() if span.first_ms is not None]
    if not firsts:
        raise UserError(f"topic {topic} has no record since {_time(since)}: nothing to count again")
    filled = [span for span in spans.values() if span.end > span.begin]
    cut = [span for span in filled if span.bounds.count_from == span.begin]
    if len(cut) == len(filled) and min(firsts) > since:
        typer.echo(
            f"the log begins at {_time(min(firsts))}: what was posted from {_time(since)} until "
            "then is not in it; counted from the log's beginning"
        )
    elif any(span.begin > 0 for span in cut):
        typer.echo(
            f"some partitions of {topic} no longer hold what was posted from {_time(since)} on "
            "(retention): these are counted from their log's beginning"
        )


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
