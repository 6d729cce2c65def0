"""`/api/v1/live`: what the page shows, sent anew after each read of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from streams.exporter import models
from streams.exporter.endpoints import Endpoint
from streams.exporter.glance import Glances
from streams.exporter.parameters import LiveQuery
from streams.exporter.problems import Problem
from streams.exporter.watch import UNUSABLE, Watch

_LOOK_SECONDS: Final = 0.2
_PING_SECONDS: Final = 15
_SEND_SECONDS: Final = 30.0  # a client that does not read for so long is dropped
_RETRY_MS: Final = 1000  # how soon a browser comes back to an exporter that went away
_UNREAD: Final = "Redis has not been read yet"
_SILENT: Final = "Redis does not answer"


class LiveApi:
    """Counts only, so that it wants no token, whatever events and posts do."""

    def __init__(self, watch: Watch, *, closed: bool) -> None:
        """`closed`: events and posts want a token."""
        self._watch = watch
        self._glances = Glances(watch, closed=closed)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/live",
                "What the page shows: a document, or server-sent events after each read of Redis",
                LiveQuery,
                self.live,
                models.Glance,
                missing="There is no such campaign.",
                streams=True,
            )
        ]

    async def live(self, request: Request, query: LiveQuery) -> models.Glance | Response:
        """JSON, or server-sent events where `Accept` asks for them: `view` with the same document
        as often as it changes, `problem` with a `detail` while there is none to be had."""
        snapshot = self._watch.snapshot
        if snapshot is not None and query.campaign not in (None, *snapshot.campaigns):
            raise Problem(404, "no such campaign")
        if "text/event-stream" in request.headers.get("accept", ""):
            return EventSourceResponse(
                self._sent(query), ping=_PING_SECONDS, send_timeout=_SEND_SECONDS
            )
        if snapshot is None:
            raise Problem(503, _UNREAD, headers={"retry-after": "1"})
        document, _ = await self._glances.at(snapshot, query.campaign, query.window)
        return document

    async def _sent(self, query: LiveQuery) -> AsyncIterator[ServerSentEvent]:
        last: tuple[str, str] | None = None
        with self._watch.followed():
            while True:
                found = await self._look(query)
                if found != last:
                    last = found
                    kind, data = found
                    yield ServerSentEvent(data=data, event=kind, retry=_RETRY_MS)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, query: LiveQuery) -> tuple[str, str]:
        """Kind and data of what there is to show."""
        snapshot = self._watch.snapshot
        if self._watch.failed is not None:
            return _problem(_SILENT)
        if snapshot is None:
            return _problem(_UNREAD)
        if query.campaign not in (None, *snapshot.campaigns):
            return _problem("no such campaign")
        try:
            _, text = await self._glances.at(snapshot, query.campaign, query.window)
        except UNUSABLE:
            return _problem(_SILENT)
        return "view", text


def _problem(detail: str) -> tuple[str, str]:
    return "problem", orjson.dumps({"detail": detail}).decode()
