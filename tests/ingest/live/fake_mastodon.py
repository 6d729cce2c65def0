"""A Mastodon server with a log of its own: the stream of it, and its timelines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from tests.posts.samples_mastodon import status_line

FIRST = 115_377_160_850_000_000  # an id of October 2025


def statuses(n: int) -> list[bytes]:
    """Different ones, a second apart."""
    return [
        status_line(id=str(FIRST + (1000 * k << 16)), content=f"<p>post {k} \u2028 \u05d0</p>")
        for k in range(n)
    ]


@dataclass
class Plan:
    """How one connection goes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    live: int = 0  # statuses that come while it is connected
    cut: bool = False  # then it is gone in the middle of an event
    silent: bool = False  # then nothing comes, no heartbeat either
    repeat: int = 1
    chunk: int = 1 << 16  # bytes that are written at a time
    wrong_type: bool = False


class FakeMastodon:
    """Statuses become visible one after the other: those that a connection sends, and `missed` of
    them between two connections."""

    def __init__(self, log: list[bytes], plans: list[Plan], missed: int = 0) -> None:
        self.log = log
        self.plans = plans
        self.missed = missed
        self.visible = 0
        self.pages = 0
        self.authorization: set[str | None] = set()
        self.refuse_pages = 0  # so many pages are answered with 429

    @property
    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/streaming/public/local", self._stream),
            web.get("/api/v1/streaming/hashtag", self._stream),
            web.get("/api/v1/timelines/public", self._timeline),
            web.get("/api/v1/timelines/tag/{tag}", self._timeline),
        ]

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.authorization.add(request.headers.get("Authorization"))
        plan = self.plans.pop(0) if self.plans else Plan(live=len(self.log))
        if plan.status != 200:
            return web.Response(status=plan.status, headers=plan.headers, text="not now")
        kind = "text/html" if plan.wrong_type else "text/event-stream"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        live = self.log[self.visible : self.visible + plan.live]
        self.visible += len(live)
        stream = b":)\n\n" + b"".join(
            b"event: update\ndata: %b\n\n:thump\n\n" % line * plan.repeat for line in live
        )
        stream += b"event: delete\ndata: %d\n\n" % FIRST
        if plan.cut and live:
            stream += b"event: update\ndata: " + live[0][:40]
        for start in range(0, len(stream), plan.chunk):
            await response.write(stream[start : start + plan.chunk])
        if plan.cut or plan.wrong_type:
            self.visible += self.missed
            if request.transport is not None:
                request.transport.abort()
        elif plan.silent:
            self.visible += self.missed
            await asyncio.sleep(60)
        else:
            while True:
                await response.write(b":thump\n")
                await asyncio.sleep(0.1)
        return response

    async def _timeline(self, request: web.Request) -> web.Response:
        self.authorization.add(request.headers.get("Authorization"))
        if self.refuse_pages:
            self.refuse_pages -= 1
            return web.Response(status=429, headers={"Retry-After": "0"})
        self.pages += 1
        limit, after = int(request.query["limit"]), request.query.get("min_id")
        page = [
            one
            for one in self.log[: self.visible]
            if after is None or int(orjson.loads(one)["id"]) > int(after)
        ]
        page = page[-limit:] if after is None else page[:limit]
        return web.Response(body=b"[" + b",".join(reversed(page)) + b"]")
