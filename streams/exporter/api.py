"""JSON under `/api/v1`.  Times are ms since 1970, velocities posts per second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.exporter.documents import campaign_document, frame_document, view_document
from streams.exporter.parameters import integer, json_response, only
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

_MOST_TOP: Final = 500
_LONGEST_NAME: Final = 300  # characters of a hashtag or campaign in a URL
_RANKING_SECONDS: Final = 5.0
_DEFAULT_STEPS: Final = {"1m": "10s", "5m": "10s", "15m": "10s", "1h": "1m", "24h": "1h"}


class Api:
    """Answers from the snapshot where it can, from Redis where it must."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._rankings: dict[str, tuple[float, Counter[str]]] = {}
        self._locks = {name: asyncio.Lock() for name in WINDOWS}

    def routes(self) -> list[Route]:
        return [
            Route("/campaigns", self.campaigns),
            Route("/campaigns/{name}", self.campaign),
            Route("/campaigns/{name}/series", self.campaign_series),
            Route("/hashtags", self.hashtags),
            Route("/hashtags/{tag}", self.hashtag),
            Route("/hashtags/{tag}/series", self.hashtag_series),
        ]

    async def campaigns(self, request: Request) -> Response:
        only(request)
        snapshot = self._snapshot()
        return json_response(
            {
                **frame_document(snapshot),
                "campaigns": [
                    {"campaign": name, **view_document(found.view)}
                    for name, found in snapshot.campaigns.items()
                ],
            }
        )

    async def campaign(self, request: Request) -> Response:
        only(request)
        name, found = self._campaign(request)
        return json_response(
            {
                **frame_document(self._snapshot()),
                **campaign_document(name, found, self._watch.insight),
            }
        )

    async def campaign_series(self, request: Request) -> Response:
        name, _ = self._campaign(request)
        return await self._series(request, campaign(name), {"campaign": name})

    async def hashtags(self, request: Request) -> Response:
        only(request, "window", "top", "by")
        window = _window(request, "1h")
        by = request.query_params.get("by", "posts")
        if by not in ("posts", "burst"):
            raise Problem(400, "by: take posts or burst")
        most = integer(request, "top", 20, 1, _MOST_TOP)
        at = await self._times()
        document: dict[str, Any] = {"window": window.name, "until": None, "hashtags": []}
        if at is not None:
            found = await self._ranking(window, at)
            until = window.safe(at.watermark, at.newest).until(at.watermark)
            document["until"] = until * 1000
            insight = self._watch.insight
            bursts = {} if insight is None else insight.bursts
            names = ranked(found if by == "posts" else bursts, most)
            document["hashtags"] = [
                {
                    "hashtag": tag,
                    "posts": n,
                    "velocity": velocity(n, window.seconds),
                    "burst_score": (score := bursts.get(tag)),
                    "burst": score is not None and score >= ALARM,
                }
                for tag in names
                if (n := found[tag])
            ]
        return json_response(document)

    async def hashtag(self, request: Request) -> Response:
        only(request)
        tag = _tag(request)
        snapshot = self._snapshot()
        view = snapshot.hashtags.get(tag)
        reader = self._watch.reader
        if view is None:
            total = (await reader.hashtag_totals([tag])).get(tag)
            if total is None:
                raise Problem(404, f"no posts with the hashtag {tag}")
            view = await self._untracked(hashtag(tag), total)
        by = hashtag_dimensions(await reader.hashtag_fields(tag))
        return json_response(
            {**frame_document(snapshot), "hashtag": tag, **view_document(view), "by": by}
        )

    async def hashtag_series(self, request: Request) -> Response:
        tag = _tag(request)
        return await self._series(request, hashtag(tag), {"hashtag": tag})

    async def _series(self, request: Request, subject: Subject, head: dict[str, Any]) -> Response:
        """Posts by bucket, oldest first; `points` are [start of the bucket in ms, posts]."""
        only(request, "window", "step")
        window = _window(request, "1h")
        name = request.query_params.get("step", _DEFAULT_STEPS[window.name])
        if name not in STEPS:
            raise Problem(400, f"step: take one of {', '.join(STEPS)}")
        step = STEPS[name]
        if step > window.seconds:
            raise Problem(400, f"step: {name} is longer than the window")
        if step < 60 and window.seconds > FINE_KEPT:
            raise Problem(400, f"step: buckets of {name} are kept for 1h only")
        document: dict[str, Any] = {**head, "window": window.name, "step": name}
        at = await self._times()
        if at is None:
            return json_response({**document, "until": None, "points": []})
        until = edge(at.watermark, step)
        starts = range(until - window.seconds, until, step)
        found = await self._watch.reader.buckets(subject, step, starts)
        points = [[start * 1000, found[start]] for start in starts]
        return json_response({**document, "until": until * 1000, "points": points})

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


def _window(request: Request, default: str) -> Window:
    name = request.query_params.get("window", default)
    if name not in WINDOWS:
        raise Problem(400, f"window: take one of {', '.join(WINDOWS)}")
    return WINDOWS[name]


def _tag(request: Request) -> str:
    tag = request.path_params["tag"]
    if len(tag) > _LONGEST_NAME:
        raise Problem(400, f"a hashtag has at most {_LONGEST_NAME} characters here")
    found = canonical(tag.strip().removeprefix("#"))
    if not found or US in found:
        raise Problem(400, "no hashtag")
    return found
