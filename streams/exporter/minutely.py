"""Once a minute of event time, in the background: bursts, forecasts, measures and events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from redis.exceptions import RedisError

from streams.events import THRESHOLD_WINDOW, Event, arrivals, crossings, milestones
from streams.exporter.insight import CampaignInsight, Insight, campaign_insight
from streams.exporter.snapshot import Snapshot
from streams.exporter.watch import Watch
from streams.keys import US
from streams.spread.burst import score
from streams.store.documents import by_campaign
from streams.store.events import EventStore, amplified
from streams.store.layout import LayoutError
from streams.store.minutes import LENGTHS, Fields, Minutes, coarse_series
from streams.store.reads import Reader
from streams.store.replies import call_replies
from streams.store.subjects import Subject, campaign, hashtag
from streams.windows import HOUR, MINUTE, edge

log: Final = logging.getLogger(__name__)

#: Hashtags outside the campaigns have a burst score from so many posts a minute on.
LEAST_POSTS: Final = 5
#: Of more than so many the busiest: a score of a full day takes some milliseconds of CPU.
MOST_SCORED: Final = 500
# A minute is full once the watermark is so far behind it (s): posts of its last moment come late.
_GRACE: Final = 5
# Amplifiers' posts of so many hours are looked at again, and of two days at the start.
_HOURS: Final = 2
_HOURS_AT_START: Final = 49


class Minutely:
    """Finds what a minute brings.  Errors of redis-py are the caller's."""

    def __init__(self, reader: Reader, events: EventStore) -> None:
        self._reader = reader
        self._events = events
        self._minutes = Minutes(reader)
        self._hour = Fields(reader, MINUTE, 60)
        self._day = Fields(reader, HOUR, 24)
        self._until = 0

    async def run(self, watch: Watch, seconds: float = 1.0) -> None:
        """Follow the newest snapshot until cancelled; what is found goes into the next one."""
        while True:
            try:
                if watch.snapshot is not None:
                    watch.insight = await self.step(watch.snapshot) or watch.insight
            except (RedisError, OSError, TimeoutError, LayoutError) as error:
                log.warning("minutes cannot be read: %s: %s", type(error).__name__, error)
            except Exception:  # metrics and page must outlive one bad minute
                log.exception("a minute failed")
            await asyncio.sleep(seconds)

    async def step(self, snapshot: Snapshot) -> Insight | None:
        """Look at the newest full minute; None if that was done before."""
        if snapshot.watermark is None:
            return None
        until = edge(snapshot.watermark - _GRACE, MINUTE)
        if until == self._until:
            return None
        busy = await self._reader.ranking(MINUTE, [until - MINUTE])
        moving = {tag for tag, view in snapshot.hashtags.items() if view.motions}
        own = [*map(campaign, snapshot.campaigns), *map(hashtag, moving)]
        await self._minutes.read(until, own)
        others = [tag for tag, n in busy.most_common(MOST_SCORED) if n >= LEAST_POSTS]
        new = [hashtag(tag) for tag in sorted(set(others) - moving)]
        coarse = await coarse_series(self._reader, until, new)
        hour = by_campaign(await self._hour.read(until))
        day = by_campaign(await self._day.read(edge(until, HOUR) + HOUR))
        # In a thread: some hundreds of series, and scrapes must not wait for them.
        found, bursts = await asyncio.to_thread(
            self._look, snapshot, until, moving, coarse, hour, day
        )
        await self._write_events(snapshot, until)
        self._until = until
        return Insight(
            until,
            found,
            bursts,
            reached=await self._events.reached(),
            events=await self._events.counts(),
            memory=await self._reader.memory(),
            minutes={name: self._minutes.series(campaign(name)) for name in snapshot.campaigns},
            replies=await call_replies(self._reader, until),
        )

    def _look(
        self,
        snapshot: Snapshot,
        until: int,
        moving: Iterable[str],
        others: Mapping[Subject, Sequence[int]],
        hour: Mapping[str, Mapping[str, int]],
        day: Mapping[str, Mapping[str, int]],
    ) -> tuple[dict[str, CampaignInsight], dict[str, float]]:
        found: dict[str, CampaignInsight] = {}
        for name, view in snapshot.campaigns.items():
            found[name] = campaign_insight(
                self._minutes.series(campaign(name)),
                hour.get(name, {}),
                day.get(name, {}),
                until=until,
                total=view.view.total,
                thresholds=view.thresholds,
                milestone=view.next_milestone,
            )
        bursts = {tag: score(self._minutes.series(hashtag(tag)), MINUTE) for tag in moving}
        bursts |= {subject.name: score(of, MINUTE) for subject, of in others.items()}
        return found, bursts

    async def _write_events(self, snapshot: Snapshot, until: int) -> None:
        hours = _HOURS if self._until else _HOURS_AT_START
        newest = until // HOUR
        posts: dict[str, list[Event]] = {}
        for event in await amplified(self._reader, range(newest - hours, newest + 1)):
            posts.setdefault(event.campaign, []).append(event)
        reached = await self._events.reached()
        for name, view in snapshot.campaigns.items():
            watched, stored = await self._events.watched(name)
            minutes = self._minutes.series(campaign(name))
            rates = velocities(minutes, until, watched.minute or 0)
            watched, crossed = crossings(name, view.thresholds, watched, rates)
            total = view.view.total
            wanted = [n for n in view.milestones if n <= total and (name, str(n)) not in reached]
            if wanted:
                total -= await self._after(name, until, snapshot)
            events = [
                *crossed,
                *milestones(name, wanted, total, minutes, until),
                *arrivals(name, _by_value(view.first)),
                *posts.get(name, ()),
            ]
            written = await self._events.write(name, stored, watched, events)
            if written:
                log.info("%s: %d new events", name, written)

    async def _after(self, name: str, until: int, snapshot: Snapshot) -> int:
        """Posts of a campaign that are counted already, but were created after `until`."""
        newest = max((state.watermark or 0) // 1000 for state in snapshot.states)
        last = min(newest, until + LENGTHS["c"] * MINUTE)
        starts = range(until, last + 1, MINUTE)
        return (await self._reader.buckets(campaign(name), MINUTE, starts)).total()


def velocities(minutes: Sequence[int], until: int, since: int) -> Iterator[tuple[int, float]]:
    """Ends (s) of minutes after `since`, and the velocity (posts/s) of the thresholds' window."""
    length = THRESHOLD_WINDOW // MINUTE
    first = max(since // MINUTE, until // MINUTE - len(minutes)) + 1
    for end in range(first * MINUTE, until + 1, MINUTE):
        at = len(minutes) - (until - end) // MINUTE
        yield end, sum(minutes[max(0, at - length) : at]) / THRESHOLD_WINDOW


def _by_value(first: Mapping[str, int]) -> dict[tuple[str, str], int]:
    """ms by dimension and value; from dimension US value."""
    found = {}
    for field, ms in first.items():
        dimension, _, value = field.partition(US)
        found[dimension, value] = ms
    return found
