"""A campaign at a glance: one document for each read of Redis, however many look at it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, Final, NamedTuple

import orjson

from streams.exporter.documents import campaign_document, frame_document
from streams.exporter.snapshot import Snapshot
from streams.exporter.watch import Watch
from streams.spread import velocity
from streams.store.documents import CAMPAIGN_DIMENSIONS, by_campaign, campaign_dimensions
from streams.store.minutes import Fields
from streams.store.states import times
from streams.store.subjects import campaign
from streams.windows import HOUR, MINUTE, WINDOWS, Window, edge

#: The windows that the page offers, and the step of their curves in seconds.
CURVES: Final = {"1h": MINUTE, "24h": 5 * MINUTE}
#: The window of "now".
_NOW: Final = "1m"


class _Shown(NamedTuple):
    snapshot: Snapshot
    text: str


class Glance:
    """Composes what the page shows.  Errors of redis-py are the caller's."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._fields = {
            name: Fields(watch.reader, WINDOWS[name].dimension_step, count)
            for name, count in (("1h", 60), ("24h", 24))
        }
        self._lock = asyncio.Lock()
        self._read: dict[str, tuple[Snapshot, dict[str, Counter[str]]]] = {}
        self._shown: dict[tuple[str, str], _Shown] = {}

    def busiest(self, snapshot: Snapshot) -> str | None:
        """The campaign to begin with: the one with the most posts."""
        found = snapshot.campaigns
        return max(found, key=lambda name: (found[name].view.total, name), default=None)

    async def text(self, snapshot: Snapshot, name: str | None, window: str) -> str:
        """The document as JSON; `window` is one of `CURVES`, `name` a campaign of the snapshot."""
        key = (name or "", window)
        async with self._lock:
            known = self._shown.get(key)
            if known is None or known.snapshot is not snapshot:
                document = await self._document(snapshot, name, WINDOWS[window])
                known = self._shown[key] = _Shown(snapshot, orjson.dumps(document).decode())
            return known.text

    async def _document(
        self, snapshot: Snapshot, name: str | None, window: Window
    ) -> dict[str, Any]:
        document: dict[str, Any] = {
            **frame_document(snapshot),
            "clock": snapshot.clock,
            "campaigns": [
                {
                    "campaign": each,
                    "title": found.info.get("title") or each,
                    "total": found.view.total,
                    "velocity": velocity(found.view.posts.get(_NOW, 0), WINDOWS[_NOW].seconds),
                }
                for each, found in snapshot.campaigns.items()
            ],
            "campaign": None,
        }
        if name is None:
            return document
        found = snapshot.campaigns[name]
        document["campaign"] = {
            "title": found.info.get("title") or name,
            **campaign_document(name, found, self._watch.insight),
        }
        document["window"] = await self._window(snapshot, name, window)
        document["series"] = await self._series(snapshot, name, window)
        return document

    async def _window(self, snapshot: Snapshot, name: str, window: Window) -> dict[str, Any]:
        """Posts of the window by dimension, as `streams counts --window … --by …` has them."""
        empty: dict[str, dict[str, int]] = {each: {} for each in CAMPAIGN_DIMENSIONS}
        if snapshot.watermark is None:
            return {"name": window.name, "until": None, "posts": 0, "by": empty}
        until = edge(snapshot.watermark, window.dimension_step)
        known = self._read.get(window.name)
        if known is None or known[0] is not snapshot:
            fields = await self._fields[window.name].read(until)
            known = self._read[window.name] = (snapshot, by_campaign(fields))
        dimensions = campaign_dimensions(known[1].get(name, {}))
        return {
            "name": window.name,
            "until": until * 1000,
            "posts": sum(dimensions.get("platform", {}).values()),
            "by": {each: dimensions.get(each, {}) for each in CAMPAIGN_DIMENSIONS},
        }

    async def _series(self, snapshot: Snapshot, name: str, window: Window) -> dict[str, Any]:
        """Posts by step, oldest first; `start` is that of the first, in ms.

        An hour is read as it is now; a day is what the newest full minute brought.
        """
        step = CURVES[window.name]
        points: list[int] = []
        until = 0
        insight = self._watch.insight
        at = times(snapshot.states, snapshot.clock, snapshot.read_at)
        if window.seconds == HOUR and at is not None:
            until = edge(at.watermark, step)
            starts = range(until - window.seconds, until, step)
            found = await self._watch.reader.buckets(campaign(name), step, starts)
            points = [found[start] for start in starts]
        elif insight is not None and name in insight.minutes:
            until = edge(insight.until, step)
            after = (insight.until - until) // MINUTE
            minutes = insight.minutes[name]
            end = len(minutes) - after
            first = end - window.seconds // MINUTE
            size = step // MINUTE
            points = [sum(minutes[max(0, i) : i + size]) for i in range(first, end, size)]
        start = until - len(points) * step
        return {"step": step, "start": start * 1000, "until": until * 1000, "posts": points}
