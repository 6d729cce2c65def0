"""JSON under `/api/v1`.  Times are ms since 1970, velocities posts per second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Final

from starlette.requests import Request

from streams.exporter.documents import campaign_document, frame_document, view_document
from streams.exporter.endpoints import Endpoint
from streams.exporter.models import Campaign, Campaigns, Hashtag, Hashtags, Series
from streams.exporter.parameters import HashtagsQuery, Query, SeriesQuery
from streams.exporter.problems import Problem
from streams.exporter.snapshot import CampaignView, Snapshot, View
from streams.exporter.watch import Watch, ranked, ranking
from streams.keys import US
from streams.spread import velocity
from streams.spread.burst import ALARM
from streams.store.documents import hashtag_dimensions
from streams.store.states import Times, times
from streams.store.subjects import Subject, campaign, hashtag
from streams.text.hashtags import canonical
from streams.windows import FINE_KEPT, STEPS, WINDOWS, Window, edge

_LONGEST_NAME: Final = 300  # characters of a hashtag or campaign in a URL
_RANKING_SECONDS: Final = 5.0
_DEFAULT_STEPS: Final = {"1m": "10s", "5m": "10s", "15m": "10s", "1h": "1m", "24h": "1h"}


class Api:
    """Answers from the snapshot where it can, from Redis where it must."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._rankings: dict[str, tuple[float, Counter[str]]] = {}
        self._locks = {name: asyncio.Lock() for name in WINDOWS}

    def endpoints(self) -> list[Endpoint]:
        named = "No such campaign."
        tagged = "No posts with this hashtag."
        return [
            Endpoint("/campaigns", "All campaigns", Query, self.campaigns, Campaigns),
            Endpoint("/campaigns/{name}", "A campaign", Query, self.campaign, Campaign, named),
            Endpoint(
                "/campaigns/{name}/series",
                "A campaign's posts by time",
                SeriesQuery,
                self.campaign_series,
                Series,
                named,
            ),
            Endpoint("/hashtags", "The top hashtags", HashtagsQuery, self.hashtags, Hashtags),
            Endpoint("/hashtags/{tag}", "A hashtag", Query, self.hashtag, Hashtag, tagged),
            Endpoint(
                "/hashtags/{tag}/series",
                "A hashtag's posts by time",
                SeriesQuery,
                self.hashtag_series,
                Series,
            ),
        ]

    async def campaigns(self, _: Request, __: Query) -> Campaigns:
        snapshot = self._snapshot()
        return {
            **frame_document(snapshot),
            "campaigns": [
                {"campaign": name, **view_document(found.view)}
                for name, found in snapshot.campaigns.items()
            ],
        }

    async def campaign(self, request: Request, _: Query) -> Campaign:
        name, found = self._campaign(request)
        frame = frame_document(self._snapshot())
        return campaign_document(frame, name, found, self._watch.insight)

    async def campaign_series(self, request: Request, query: SeriesQuery) -> Series:
        name, _ = self._campaign(request)
        return {"campaign": name, **await self._series(query, campaign(name))}

    async def hashtags(self, _: Request, query: HashtagsQuery) -> Hashtags:
        window = WINDOWS[query.window]
        at = await self._times()
        if at is None:
            return {"window": window.name, "until": None, "hashtags": []}
        found = await self._ranking(window, at)
        until = window.safe(at.watermark, at.newest).until(at.watermark)
        insight = self._watch.insight
        bursts = {} if insight is None else insight.bursts
        names = ranked(found if query.by == "posts" else bursts, query.top)
        return {
            "window": window.name,
            "until": until * 1000,
            "hashtags": [
                {
                    "hashtag": tag,
                    "posts": n,
                    "velocity": velocity(n, window.seconds),
                    "burst_score": (score := bursts.get(tag)),
                    "burst": score is not None and score >= ALARM,
                }
                for tag in names
                if (n := found[tag])
            ],
        }

    async def hashtag(self, request: Request, _: Query) -> Hashtag:
        tag = canonical_tag(request.path_params["tag"])
        snapshot = self._snapshot()
        view = snapshot.hashtags.get(tag)
        reader = self._watch.reader
        if view is None:
            total = (await reader.hashtag_totals([tag])).get(tag)
            if total is None:
                raise Problem(404, f"no posts with the hashtag {tag}")
            view = await self._untracked(hashtag(tag), total)
        by = hashtag_dimensions(await reader.hashtag_fields(tag))
        return {**frame_document(snapshot), **view_document(view), "hashtag": tag, "by": by}

    async def hashtag_series(self, request: Request, query: SeriesQuery) -> Series:
        tag = canonical_tag(request.path_params["tag"])
        return {"hashtag": tag, **await self._series(query, hashtag(tag))}

    async def _series(self, query: SeriesQuery, subject: Subject) -> Series:
        """Without the subject's name."""
        window = WINDOWS[query.window]
        name = query.step or _DEFAULT_STEPS[window.name]
        step = STEPS[name]
        if step > window.seconds:
            raise Problem(400, f"step: {name} is longer than the window")
        if step < 60 and window.seconds > FINE_KEPT:
            raise Problem(400, f"step: buckets of {name} are kept for 1h only")
        at = await self._times()
        if at is None:
            return {"window": window.name, "step": name, "until": None, "points": []}
        until = edge(at.watermark, step)
        starts = range(until - window.seconds, until, step)
        found = await self._watch.reader.buckets(subject, step, starts)
        points = [[start * 1000, found[start]] for start in starts]
        return {"window": window.name, "step": name, "until": until * 1000, "points": points}

    async def _untracked(self, subject: Subject, total: int) -> View:
        """A hashtag outside the snapshot, without its motion."""
        at = await self._times()
        posts: dict[str, int] = {}
        until: dict[str, int] = {}
        if at is not None:
            for name, window in WINDOWS.items():
                chosen = window.safe(at.watermark, at.newest)
                end = until[name] = chosen.until(at.watermark)
                counts = await self._watch.reader.buckets(subject, chosen.step, chosen.starts(end))
                posts[name] = counts.total()
        return View(total, {}, posts, until, {})

    async def _times(self) -> Times | None:
        return times(await self._watch.reader.states(), self._watch.clock, self._watch.now())

    async def _ranking(self, window: Window, at: Times) -> Counter[str]:
        """All hashtags are read for it, so once in some seconds is enough, whoever asks."""
        async with self._locks[window.name]:
            read_at, found = self._rankings.get(window.name, (0.0, Counter()))
            if not read_at or time.monotonic() - read_at > _RANKING_SECONDS:
                found = await ranking(self._watch.reader, window.name, at)
                self._rankings[window.name] = (time.monotonic(), found)
            return found

    def _snapshot(self) -> Snapshot:
        if self._watch.snapshot is None:
            raise Problem(503, "Redis has not been read yet", headers={"retry-after": "1"})
        return self._watch.snapshot

    def _campaign(self, request: Request) -> tuple[str, CampaignView]:
        name = request.path_params["name"]
        found = self._snapshot().campaigns.get(name)
        if found is None:
            raise Problem(404, "no such campaign")
        return name, found


def canonical_tag(text: str) -> str:
    """A hashtag of a URL, with or without #.  Raises `Problem` where there is none."""
    if len(text) > _LONGEST_NAME:
        raise Problem(400, f"a hashtag has at most {_LONGEST_NAME} characters here")
    found = canonical(text.strip().removeprefix("#").removeprefix("\uff03"))
    if not found or US in found:
        raise Problem(400, "no hashtag")
    return found
