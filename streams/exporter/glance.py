"""A campaign at a glance: one document for each read of Redis, however many look at it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final, NamedTuple

import orjson

from streams.exporter.documents import campaign_document, frame_document
from streams.exporter.models import Curve, Glance, Shares
from streams.exporter.snapshot import Snapshot
from streams.exporter.watch import Watch
from streams.spread import velocity
from streams.store.documents import CAMPAIGN_DIMENSIONS, by_campaign, campaign_dimensions
from streams.store.minutes import Fields
from streams.store.subjects import campaign
from streams.windows import HOUR, MINUTE, WINDOWS, Window, edge

#: Steps of the curve of each window, in seconds.
CURVES: Final = {"1h": MINUTE, "24h": 5 * MINUTE}
#: The window of "now".
_NOW: Final = WINDOWS["1m"]


class _Shown(NamedTuple):
    snapshot: Snapshot
    document: Glance
    text: str


class Glances:
    """Composes what the page shows.  Errors of redis-py are the caller's."""

    def __init__(self, watch: Watch, *, closed: bool) -> None:
        """`closed`: events and posts want a token."""
        self._watch = watch
        self._closed = closed
        self._fields = {
            name: Fields(watch.reader, WINDOWS[name].dimension_step, count)
            for name, count in (("1h", 60), ("24h", 24))
        }
        self._lock = asyncio.Lock()
        self._read: dict[str, tuple[Snapshot, dict[str, Counter[str]]]] = {}
        self._shown: dict[tuple[str | None, str], _Shown] = {}

    async def at(self, snapshot: Snapshot, name: str | None, window: str) -> tuple[Glance, str]:
        """The document, and as JSON; `window` is one of `CURVES`, `name` a campaign's.

        Without a name it is the campaign with the most posts.
        """
        found = snapshot.campaigns
        if name is None:
            name = max(found, key=lambda each: (found[each].view.total, each), default=None)
        async with self._lock:
            known = self._shown.get((name, window))
            if known is None or known.snapshot is not snapshot:
                document = await self._document(snapshot, name, WINDOWS[window])
                known = _Shown(snapshot, document, orjson.dumps(document).decode())
                self._shown[name, window] = known
            return known.document, known.text

    async def _document(self, snapshot: Snapshot, name: str | None, window: Window) -> Glance:
        frame = frame_document(snapshot)
        found = None if name is None else snapshot.campaigns[name]
        document: Glance = {
            **frame,
            "clock": snapshot.clock,
            "closed": self._closed,
            "campaigns": [
                {
                    "campaign": each,
                    "title": other.title or each,
                    "total": other.view.total,
                    "velocity": velocity(other.view.posts.get(_NOW.name, 0), _NOW.seconds),
                }
                for each, other in snapshot.campaigns.items()
            ],
            "title": None,
            "campaign": None,
            "window": None,
            "series": None,
        }
        if name is not None and found is not None:
            document["title"] = found.title or name
            document["campaign"] = campaign_document(frame, name, found, self._watch.insight)
            document["window"] = await self._shares(snapshot, name, window)
            document["series"] = await self._curve(snapshot, name, window)
        return document

    async def _shares(self, snapshot: Snapshot, name: str, window: Window) -> Shares:
        dimensions: dict[str, dict[str, int]] = {}
        until = None
        if snapshot.watermark is not None:
            until = edge(snapshot.watermark, window.dimension_step)
            known = self._read.get(window.name)
            if known is None or known[0] is not snapshot:
                fields = await self._fields[window.name].read(until)
                known = self._read[window.name] = (snapshot, by_campaign(fields))
            dimensions = campaign_dimensions(known[1].get(name, {}))
        return {
            "name": window.name,
            "until": None if until is None else until * 1000,
            "posts": sum(dimensions.get("platform", {}).values()),
            "by": {each: dimensions.get(each, {}) for each in CAMPAIGN_DIMENSIONS},
        }

    async def _curve(self, snapshot: Snapshot, name: str, window: Window) -> Curve:
        """An hour is read as it is now; a day is what the newest full minute brought."""
        step = CURVES[window.name]
        posts: list[int] = []
        until = 0
        insight = self._watch.insight
        if window.seconds == HOUR and snapshot.watermark is not None:
            until = edge(snapshot.watermark, step)
            starts = range(until - window.seconds, until, step)
            found = await self._watch.reader.buckets(campaign(name), step, starts)
            posts = [found[start] for start in starts]
        elif window.seconds > HOUR and insight is not None and name in insight.minutes:
            until = edge(insight.until, step)
            minutes = insight.minutes[name]
            end = len(minutes) - (insight.until - until) // MINUTE
            size = step // MINUTE
            first = end - window.seconds // MINUTE
            posts = [sum(minutes[at : at + size]) for at in range(first, end, size)]
        start = until - len(posts) * step
        return {"step": step, "start": start * 1000, "until": until * 1000, "posts": posts}
