"""Mastodon's streaming API as server-sent events.

https://docs.joinmastodon.org/methods/streaming.  The stream knows no cursor: what a cut takes is
read of the timeline of the same name (`min_id`), while the new stream waits.  Deletes of that time
are lost, they are nowhere to be had.

A record is an event as the web socket sends it, with the server's name (`streams.posts.mastodon`
says why); the status in it is as the server wrote it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from streams.config import MastodonSettings
from streams.ingest.live.http import CONNECT_SECONDS, expect_ok
from streams.ingest.live.source import Cursor, Disconnected, Item, Observer
from streams.ingest.live.sse import Event, EventParser

# An id has the ms of the post's birth above 16 bits.  Of other servers it comes later than others
# that are younger: so long before the cursor is read again.
_REWIND: Final = 120_000 << 16
_PAGE: Final = 40  # statuses, as many as the API gives
_REST_SECONDS: Final = 30.0


class _Status(msgspec.Struct, gc=False):
    id: str


_status: Final = msgspec.json.Decoder(_Status).decode
_page: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


class MastodonSource:
    """One stream of one server."""

    platform = "mastodon"

    def __init__(
        self, settings: MastodonSettings, http: aiohttp.ClientSession, observer: Observer
    ) -> None:
        url = URL(settings.url)
        self._server = (url.host or "").lower()
        if not url.is_default_port():
            self._server += f":{url.port}"
        tag = "" if settings.hashtag is None else f":{settings.hashtag.casefold()}"
        self.name = f"mastodon:{self._server}:{settings.stream}{tag}"
        self._settings = settings
        self._http = http
        self._observer = observer
        token = settings.token
        self._headers = (
            {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        )

    async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """As `Source.read`."""
        if cursor is None:  # a cut before the first status is a cut, too
            newest = await self._last()
            yield Item(None, {"id": newest})
        else:
            newest = str(cursor["id"])
        settings = self._settings
        base = (settings.streaming_url or settings.url).rstrip("/")
        async with self._http.get(
            f"{base}/api/v1/streaming/{settings.stream.replace(':', '/')}",
            params={} if settings.hashtag is None else {"tag": settings.hashtag},
            headers={**self._headers, "Accept": "text/event-stream"},
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=settings.timeout
            ),
        ) as response:
            await expect_ok(response)
            if response.content_type != "text/event-stream":
                raise Disconnected(
                    "http", f"{base} answers with {response.content_type}, no events"
                )
            self._observer.connected(True)
            if cursor is not None:
                async for item in self._missed(newest):
                    newest = str(item.cursor["id"]) if item.cursor else newest
                    yield item
            parser = EventParser()
            async for chunk in response.content.iter_any():
                for event in parser.feed(chunk):
                    newest = _newer(newest, event)
                    yield Item(self._record(event), {"id": newest})
        raise Disconnected("end", f"{base} ended the stream")

    async def _missed(self, cursor: str) -> AsyncGenerator[Item, None]:
        """Statuses behind the cursor, oldest first."""
        backfill = self._settings.backfill
        after, newest, read = _rewound(cursor), cursor, 0
        while read < backfill:
            page = await self._timeline(_PAGE, min_id=after)
            if not page or page[0][0] == after:
                return
            for number, raw in reversed(page):
                newest = max(newest, number, key=_order)
                yield Item(self._record(Event("update", raw)), {"id": newest})
            after = page[0][0]
            read += len(page)
        self._observer.gap(f"more than {backfill} posts came meanwhile (mastodon.backfill)")

    async def _last(self) -> str:
        """Where the timeline ends now."""
        page = await self._timeline(1)
        return page[0][0] if page else "0"

    async def _timeline(self, limit: int, **where: str) -> list[tuple[str, bytes]]:
        """Ids and statuses of a page of the timeline that has the stream's name, newest first."""
        settings = self._settings
        kind, _, part = settings.stream.partition(":")
        path = "public" if kind == "public" else f"tag/{quote(settings.hashtag or '', safe='')}"
        url = URL(f"{settings.url.rstrip('/')}/api/v1/timelines/{path}", encoded=True)
        async with self._http.get(
            url,
            params={"limit": str(limit), **({part: "true"} if part else {}), **where},
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=_REST_SECONDS),
        ) as response:
            await expect_ok(response)
            try:
                return [(_status(raw).id, bytes(raw)) for raw in _page(await response.read())]
            except msgspec.DecodeError as error:
                raise Disconnected("http", f"{url}: no list of statuses: {error}") from error

    def _record(self, event: Event) -> bytes:
        payload = event.data.replace(b"\n", b" ")  # white space, between tokens of JSON
        try:
            msgspec.json.decode(payload, type=msgspec.Raw)
        except msgspec.DecodeError:  # an id with letters, `undefined`
            payload = msgspec.json.encode(payload.decode("utf-8", "replace"))
        name = msgspec.json.encode(event.name)
        server = msgspec.json.encode(self._server)
        return b'{"event":%b,"server":%b,"payload":%b}' % (name, server, payload)


def _newer(newest: str, event: Event) -> str:
    """The newest id, this event's included."""
    if event.name != "update":
        return newest
    try:
        number = _status(event.data).id
    except msgspec.DecodeError:
        return newest
    return max(newest, number, key=_order)


def _order(number: str) -> tuple[int, str]:
    """Ids grow: decimals by their value, those of others (ULIDs) as text of one length."""
    return len(number), number


def _rewound(number: str) -> str:
    if number.isdecimal() and int(number) > _REWIND:
        return str(int(number) - _REWIND)
    return number
