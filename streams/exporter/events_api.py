"""`/api/v1/events`: what happened to the campaigns, as server-sent events or as a list."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final, cast

import orjson
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from streams.exporter.endpoints import Endpoint
from streams.exporter.feed import Feed
from streams.exporter.models import Events, ListedEvent
from streams.exporter.parameters import EventsQuery
from streams.exporter.problems import Problem
from streams.exporter.sharing import Shared
from streams.exporter.watch import Watch
from streams.posts.links import link
from streams.store.events import Written

_PING_SECONDS: Final = 15
_SEND_SECONDS: Final = 30.0  # a client that does not read for so long is dropped
_CURSOR: Final = re.compile(r"[0-9]{1,18}-[0-9]{1,18}")


class EventsApi:
    """Answers from the feed, and what is known of its posts from the newest full minute."""

    def __init__(self, feed: Feed, watch: Watch) -> None:
        self._feed = feed
        self._watch = watch
        self._shared = Shared()

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/events",
                "What happened to the campaigns: server-sent events, or a list",
                EventsQuery,
                self.events,
                Events,
                guarded=True,
                streams=True,
            )
        ]

    async def events(self, request: Request, query: EventsQuery) -> bytes | Response:
        """Server-sent events; JSON where `Accept` asks for it: the newest first, or with `after`
        those that came after it, in order; of all that the stream holds, whatever is asked for.

        `campaign` and `kind` choose.  A listener that comes back with `Last-Event-ID` (or `after`)
        misses nothing that the stream still holds.
        """
        campaign, kind, after = query.campaign, query.kind, query.after

        def wanted(event: Written) -> bool:
            document = event.document
            return campaign in (None, document["campaign"]) and kind in (None, document["kind"])

        last = request.headers.get("last-event-id")
        if last:
            after = last
            if not _CURSOR.fullmatch(last):
                raise Problem(400, "Last-Event-ID: the id of an event that was sent")
        if "application/json" in request.headers.get("accept", ""):

            async def make() -> bytes:
                found = await self._feed.listed(after, wanted, limit=query.limit, each=query.each)
                insight = self._watch.insight
                replies = {} if insight is None else insight.replies
                return orjson.dumps({"events": [_listed(event, replies) for event in found]})

            return await self._shared.get((after, query), make)

        async def sent() -> AsyncIterator[ServerSentEvent]:
            async for event in self._feed.listen(after):
                if wanted(event):
                    data = orjson.dumps(event.document).decode()
                    kind = event.document["kind"]
                    yield ServerSentEvent(data=data, event=kind, id=event.cursor)

        return EventSourceResponse(sent(), ping=_PING_SECONDS, send_timeout=_SEND_SECONDS)


def _listed(event: Written, replies: Mapping[str, Mapping[str, int]]) -> ListedEvent:
    """`replies` by campaign and uid."""
    document = {"cursor": event.cursor, **event.document}
    if document["kind"] == "amplifier":
        document["link"] = link(document["name"])
        n = replies.get(document["campaign"], {}).get(document["name"])
        if n is not None:
            document["replies"] = n
    return cast("ListedEvent", document)
