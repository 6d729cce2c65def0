"""JSON under `/api/v1`.  Times are ms since 1970, velocities posts per second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.exporter.problems import Problem
from streams.exporter.snapshot import CampaignView, Snapshot, View
from streams.exporter.watch import Watch, ranked, ranking
from streams.keys import US
from streams.spread import velocity
from streams.store.documents import hashtag_dimensions, outcomes_document
from streams.store.reads import Subject, campaign, hashtag
from streams.store.states import Times, times
from streams.text.hashtags import canonical
from streams.windows import FINE_KEPT, STEPS, WINDOWS, Window, edge

_MOST_TOP: Final = 500
_LONGEST_NAME: Final = 300  # characters of a hashtag or campaign in a URL
_RANKING_SECONDS: Final = 5.0
_DEFAULT_STEPS: Final = {"1m": "10s", "5m": "10s", "15m": "10s", "1h": "1m", "24h": "1h"}


def _json(document: object) -> Response:
    return Response(
        orjson.dumps(document),
        media_type="application/json",
        headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
    )


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
        _only(request)
        snapshot = self._snapshot()
        return _json(
            {
                **_frame(snapshot),
                "campaigns": [
                    {"campaign": name, **_view(found.view)}
                    for name, found in snapshot.campaigns.items()
                ],
            }
        )

    async def campaign(self, request: Request) -> Response:
        _only(request)
        name, found = self._campaign(request)
        return _json({**_frame(self._snapshot()), **_campaign(name, found)})

    async def campaign_series(self, request: Request) -> Response:
        name, _ = self._campaign(request)
        return await self._series(request, campaign(name), {"campaign": name})

    async def hashtags(self, request: Request) -> Response:
        _only(request, "window", "top")
        window = _window(request, "1h")
        most = _integer(request, "top", 20, 1, _MOST_TOP)
        at = await self._times()
        document: dict[str, Any] = {"window": window.name, "until": None, "hashtags": []}
        if at is not None:
            found = await self._ranking(window, at)
            until = window.safe(at.watermark, at.newest).until(at.watermark)
            document["until"] = until * 1000
            document["hashtags"] = [
                {"hashtag": tag, "posts": n, "velocity": velocity(n, window.seconds)}
                for tag in ranked(found, most)
                if (n := found[tag])
            ]
        return _json(document)

    async def hashtag(self, request: Request) -> Response:
        _only(request)
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
        return _json({**_frame(snapshot), "hashtag": tag, **_view(view), "by": by})

    async def hashtag_series(self, request: Request) -> Response:
        tag = _tag(request)
        return await self._series(request, hashtag(tag), {"hashtag": tag})

    async def _series(self, request: Request, subject: Subject, head: dict[str, Any]) -> Response:
        """Posts by bucket, oldest first; `points` are [start of the bucket in ms, posts]."""
        _only(request, "window", "step")
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
            return _json({**document, "until": None, "points": []})
        until = edge(at.watermark, step)
        starts = range(until - window.seconds, until, step)
        found = await self._watch.reader.buckets(subject, step, starts)
        points = [[start * 1000, found[start]] for start in starts]
        return _json({**document, "until": until * 1000, "points": points})

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


def _only(request: Request, *names: str) -> None:
    for name in request.query_params:
        if name not in names:
            raise Problem(400, f"no parameter {name[:40]!r} here")
    for name in names:
        if len(request.query_params.getlist(name)) > 1:
            raise Problem(400, f"{name}: stands twice")


def _window(request: Request, default: str) -> Window:
    name = request.query_params.get("window", default)
    if name not in WINDOWS:
        raise Problem(400, f"window: take one of {', '.join(WINDOWS)}")
    return WINDOWS[name]


def _integer(request: Request, name: str, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise Problem(400, f"{name}: a whole number from {low} to {high}")
    return int(text)


def _tag(request: Request) -> str:
    tag = request.path_params["tag"]
    if len(tag) > _LONGEST_NAME:
        raise Problem(400, f"a hashtag has at most {_LONGEST_NAME} characters here")
    found = canonical(tag.strip().removeprefix("#"))
    if not found or US in found:
        raise Problem(400, "no hashtag")
    return found


def _frame(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "read_at": round(snapshot.read_at * 1000),
        "watermark": None if snapshot.watermark is None else round(snapshot.watermark * 1000),
        "records": outcomes_document(snapshot.outcomes),
        "lag": sum(state.lag or 0 for state in snapshot.states),
        "paused": [state.name for state in snapshot.states if state.paused],
    }


def _view(view: View) -> dict[str, Any]:
    windows = {
        name: {
            "until": view.until[name] * 1000,
            "posts": n,
            "velocity": velocity(n, WINDOWS[name].seconds),
            "acceleration": motion.acceleration if motion else None,
            "doubling_seconds": motion.doubling_seconds if motion else None,
            "unique_authors": view.authors.get(name),
        }
        for name, n in view.posts.items()
        for motion in [view.motions.get(name)]
    }
    return {"total": view.total, "windows": windows}


def _campaign(name: str, found: CampaignView) -> dict[str, Any]:
    dimensions = found.dimensions
    first: dict[str, dict[str, int]] = {}
    for field, ms in found.first.items():
        dimension, _, value = field.partition(US)
        first.setdefault(dimension, {})[value] = ms
    return {
        "campaign": name,
        "version": found.info.get("version"),
        "hashtags": found.info.get("hashtags", []),
        "thresholds": found.thresholds,
        "next_milestone": found.next_milestone,
        **_view(found.view),
        "by": {key: values for key, values in sorted(dimensions.items()) if key != "total"},
        "first_seen": first,
    }
