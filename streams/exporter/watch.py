"""Reads Redis in the background, so that a scrape costs nothing but text."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from redis.exceptions import RedisError

from streams.campaigns import Campaign
from streams.campaigns.describe import describe
from streams.exporter.authors import Authors, unique_authors
from streams.exporter.exposition import Exposition
from streams.exporter.insight import Insight
from streams.exporter.snapshot import Snapshot, build, places_of
from streams.keys import US
from streams.store.layout import LayoutError
from streams.store.reads import Reader
from streams.store.states import Clock, Times, times
from streams.store.subjects import Subject, campaign, hashtag
from streams.store.tracked import Tracker
from streams.text.hashtags import canonical
from streams.windows import WINDOWS

log: Final = logging.getLogger(__name__)

#: What is raised where Redis cannot be used: it is not reached, or holds another layout.
UNUSABLE: Final = (RedisError, OSError, TimeoutError, LayoutError)

#: The window that the top K hashtags are taken from.
TOP_WINDOW: Final = "1h"
#: Hashtags with buckets: a campaign may have hundreds of spellings that nobody uses.
MOVING: Final = 250
# Ranking all hashtags and uniting authors cost more than the rest: they take a tenth of the time at
# most, and come at most once in so many seconds.
_SELDOM: Final = 5.0
_TENTH: Final = 10.0
_BREATH: Final = 0.05  # seconds between two reads, however short the interval


class _Seldom:
    """Says when something costly is due again."""

    def __init__(self) -> None:
        self._next = 0.0

    def due(self) -> bool:
        return time.monotonic() >= self._next

    def took(self, seconds: float) -> None:
        self._next = time.monotonic() + max(_SELDOM, seconds * _TENTH)


class Watch:
    """Keeps the newest snapshot."""

    def __init__(
        self,
        reader: Reader,
        exposition: Exposition,
        *,
        campaigns: Sequence[Campaign] = (),
        top: int = 50,
        clock: Clock = "live",
        now: Callable[[], float] = time.time,
    ) -> None:
        """`campaigns` are what the configuration names, for what Redis does not say of them."""
        self.reader = reader
        self.clock: Clock = clock
        self.now = now
        self.snapshot: Snapshot | None = None
        self.insight: Insight | None = None  # what the newest full minute brought
        self.failed: str | None = None  # why the last read failed
        self._followers = 0
        self._followed = asyncio.Event()  # somebody looks on
        self._exposition = exposition
        self._infos = {found.name: describe(found) for found in campaigns}
        self._tracker = Tracker(reader)
        self._top = top
        self._counted: set[str] = set()  # campaigns that have posts
        self._ranking: Counter[str] = Counter()
        self._rank, self._count_authors = _Seldom(), _Seldom()
        self._authors: dict[Subject, Authors] = {}

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Somebody looks on meanwhile: reads come as often as `run` has it for that."""
        self._followers += 1
        self._followed.set()
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._followed.clear()

    async def run(self, interval: float, live_interval: float | None = None) -> None:
        """Read every `interval` seconds, and every `live_interval` while it is followed, until
        cancelled; what goes wrong is counted and logged."""
        while True:
            began = time.monotonic()
            try:
                await self.read()
                self.failed = None
            except UNUSABLE as error:
                self._complain(f"Redis cannot be read: {type(error).__name__}: {error}")
            except Exception as error:  # the page and the metrics must outlive one bad read
                self._complain(f"a read failed: {type(error).__name__}: {error}")
                log.exception("a read failed")
            await self._pause(began, interval, live_interval or interval)

    async def _pause(self, began: float, interval: float, live_interval: float) -> None:
        """Until the read that follows the one that began then (s, monotonic)."""
        with suppress(TimeoutError):
            left = began + interval - time.monotonic()
            await asyncio.wait_for(self._followed.wait(), max(_BREATH, left))
            left = began + min(interval, live_interval) - time.monotonic()
            await asyncio.sleep(max(_BREATH, left))

    def _complain(self, reason: str) -> None:
        if self.failed is None:
            log.warning("%s; trying again", reason)
        self.failed = reason
        self._exposition.failed()

    async def read(self) -> Snapshot:
        """One complete read; the snapshot is published."""
        began = time.perf_counter()
        infos = {**self._infos, **await self.reader.campaign_info()}
        states = await self.reader.states()
        at = times(states, self.clock, self.now())
        own = {canonical(tag) for info in infos.values() for tag in info.get("hashtags", ())}
        if at is not None and self._rank.due():
            await self._read_ranking(at)
        top = ranked(self._ranking, self._top, without=own)
        places = places_of(at) if at is not None else set()
        campaigns = {*infos, *self._counted}
        tags = own | set(top)
        moving = ranked({tag: self._ranking[tag] for tag in tags}, MOVING)
        counts = await self._tracker.read(states, campaigns, tags, moving, places)
        self._counted = {field.partition(US)[0] for field in counts.campaigns}
        if not self._counted <= campaigns:  # of a campaign that nobody named: read its buckets, too
            campaigns |= self._counted
            counts = await self._tracker.read(states, campaigns, tags, moving, places)
        if at is not None and self._count_authors.due():
            subjects = [*map(campaign, sorted(campaigns)), *map(hashtag, moving)]
            started = time.perf_counter()
            self._authors = await unique_authors(self.reader, subjects, at.watermark)
            self._count_authors.took(time.perf_counter() - started)
        self.snapshot = build(
            counts,
            set(moving),
            at,
            infos,
            self._authors,
            untracked=len(self._ranking.keys() - counts.hashtags.keys()),
            read_at=self.now(),
            insight=self.insight,
            clock=self.clock,
        )
        self._exposition.read_seconds.observe(time.perf_counter() - began)
        await asyncio.to_thread(self._exposition.publish, self.snapshot)
        return self.snapshot

    async def _read_ranking(self, at: Times) -> None:
        started = time.perf_counter()
        self._ranking = await ranking(self.reader, TOP_WINDOW, at)
        self._rank.took(time.perf_counter() - started)


async def ranking(reader: Reader, window: str, at: Times) -> Counter[str]:
    """Posts of all hashtags in the window."""
    chosen = WINDOWS[window].safe(at.watermark, at.newest)
    return await reader.ranking(chosen.step, chosen.starts(chosen.until(at.watermark)))


def ranked(
    counts: Mapping[str, float], most: int, *, without: set[str] | frozenset[str] = frozenset()
) -> list[str]:
    """The `most` largest, ties by name; the same in every exporter."""
    names = (name for name in counts if name not in without)
    return sorted(names, key=lambda name: (-counts[name], name))[:most]
