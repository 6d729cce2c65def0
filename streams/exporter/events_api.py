"""`/api/v1/events`: what happened to the campaigns, as server-sent events or as a list."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.events import KINDS
from streams.exporter.feed import Feed
from streams.exporter.parameters import integer, json_response, only
from streams.exporter.problems import Problem
from streams.store.events import Written

_PING_SECONDS: Final = 15
_SEND_SECONDS: Final = 30.0  # a client that does not read for so long is dropped
_MOST: Final = 1_000
_CURSOR: Final = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


class EventsApi:
    """Answers from the feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[Route]:
        return [Route("/events", self.events)]

    async def events(self, request: Request) -> Response:
        """Server-sent events; JSON where `Accept` asks for it: the newest first, or with `after`
        those that came after it, in order.

        `campaign` and `kind` choose.  A listener that comes back with `Last-Event-ID` (or `after`)
        misses nothing that the stream still holds.
        """
        only(request, "campaign", "kind", "after", "limit")
        campaign, kind = (request.query_params.get(name) for name in ("campaign", "kind"))
        if kind is not None and kind not in KINDS:
            raise Problem(400, f"kind: take one of {', '.join(KINDS)}")
        limit = integer(request, "limit", 100, 1, _MOST)

        def wanted(event: Written) -> bool:
            document = event.document
            return campaign in (None, document["campaign"]) and kind in (None, document["kind"])

        after = request.headers.get("last-event-id") or request.query_params.get("after")
        if after is not None and not _CURSOR.fullmatch(after):
            raise Problem(400, "after (Last-Event-ID): the id of an event that was sent")
        if "application/json" in request.headers.get("accept", ""):
            store = self._feed.store
            page = await (store.newest(_MOST) if after is None else store.after(after, _MOST))
            found = [event for event in page if wanted(event)][:limit]
            return json_response({"events": [{"cursor": e.cursor, **e.document} for e in found]})

        async def sent() -> AsyncIterator[ServerSentEvent]:
            async for event in self._feed.listen(after):
                if wanted(event):
                    data = orjson.dumps(event.document).decode()
                    kind = event.document["kind"]
                    yield ServerSentEvent(data=data, event=kind, id=event.cursor)

        return EventSourceResponse(sent(), ping=_PING_SECONDS, send_timeout=_SEND_SECONDS)
