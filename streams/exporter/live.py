"""`/api/v1/live`: what the page shows, sent anew after each read of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.exporter.glance import CURVES, Glance
from streams.exporter.parameters import only
from streams.exporter.problems import Problem
from streams.exporter.watch import UNUSABLE, Watch

_LOOK_SECONDS: Final = 0.2
_PING_SECONDS: Final = 15
_SEND_SECONDS: Final = 30.0  # a client that does not read for so long is dropped
_RETRY_MS: Final = 1000  # how soon a browser comes back to an exporter that went away
_SILENT: Final = "Redis does not answer"


class LiveApi:
    """Server-sent events: `view` with a document, `problem` while there is none to be had."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._glance = Glance(watch)

    def routes(self) -> list[Route]:
        return [Route("/live", self.live)]

    async def live(self, request: Request) -> Response:
        """`campaign` (default: the one with the most posts) and `window` (1h or 24h) choose."""
        only(request, "campaign", "window")
        name = request.query_params.get("campaign")
        window = request.query_params.get("window", "1h")
        if window not in CURVES:
            raise Problem(400, f"window: take one of {', '.join(CURVES)}")
        snapshot = self._watch.snapshot
        if name is not None and snapshot is not None and name not in snapshot.campaigns:
            raise Problem(404, "no such campaign")
        return EventSourceResponse(
            self._sent(name, window), ping=_PING_SECONDS, send_timeout=_SEND_SECONDS
        )

    async def _sent(self, name: str | None, window: str) -> AsyncIterator[ServerSentEvent]:
        last: tuple[str, str] | None = None
        while True:
            found = await self._look(name, window)
            if found != last:
                last = found
                kind, data = found
                yield ServerSentEvent(data=data, event=kind, retry=_RETRY_MS)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, name: str | None, window: str) -> tuple[str, str]:
        """Kind and data of what there is to show."""
        watch = self._watch
        snapshot = watch.snapshot
        if watch.failed is not None:
            return _problem(_SILENT)
        if snapshot is None:
            return _problem("Redis has not been read yet")
        chosen = name if name is not None else self._glance.busiest(snapshot)
        if chosen is not None and chosen not in snapshot.campaigns:
            return _problem("no such campaign")
        try:
            return "view", await self._glance.text(snapshot, chosen, window)
        except UNUSABLE:
            return _problem(_SILENT)


def _problem(detail: str) -> tuple[str, str]:
    return "problem", orjson.dumps({"detail": detail}).decode()
