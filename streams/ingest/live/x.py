"""X's filtered stream, API v2.

https://docs.x.com/x-api/posts/filtered-stream/introduction.  A line is a post; an empty line, every
20 s, says that the connection lives.  The stream knows no cursor, but gives back up to five minutes
(`backfill_minutes`), repeats included; a longer cut is a gap.  So the cursor is the time at which
the last line was read.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Final

import aiohttp
import msgspec

from streams.campaigns import Campaign
from streams.config import XSettings
from streams.errors import UserError
from streams.ingest.live.http import CONNECT_SECONDS, expect_ok
from streams.ingest.live.source import Cursor, Disconnected, Item, Observer
from streams.ingest.live.x_rules import Rule, RuleBook, rules_of

log: Final = logging.getLogger(__name__)

_LARGEST: Final = 10 << 20  # bytes of a line
_BACKFILL_MINUTES: Final = 5  # at most
_LATE_SECONDS: Final = 10.0  # from a post to its delivery (P99 is 6 to 7 s): also behind the cursor
_FIELDS: Final = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,geo,"
    "lang,note_tweet,referenced_tweets",
    "expansions": "author_id,geo.place_id,referenced_tweets.id",
    "user.fields": "location,public_metrics,verified",
    "place.fields": "country_code",
}


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""
    disconnect_type: str | None = None
    connection_issue: str | None = None


class _Line(msgspec.Struct):
    data: msgspec.Raw | None = None
    errors: list[_Problem] | None = None


_line: Final = msgspec.json.Decoder(_Line).decode


class XSource:
    """The account's stream.  `campaigns` gives those in force, whenever it is asked."""

    name = "x:filtered"
    platform = "x"

    def __init__(
        self,
        settings: XSettings,
        http: aiohttp.ClientSession,
        observer: Observer,
        campaigns: Callable[[], Awaitable[Sequence[Campaign]]],
        now: Callable[[], float] = time.time,
    ) -> None:
        if settings.token is None:
            raise UserError(
                "X needs a bearer token: put it into a file and set ingest.x.token_file "
                "(STREAMS_INGEST__X__TOKEN_FILE) to its path"
            )
        self._settings = settings
        self._http = http
        self._observer = observer
        self._campaigns = campaigns
        self._now = now  # unix s
        self._backfill = settings.backfill
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._book = RuleBook(settings.url, self._headers, http, settings.rules)
        self._rules: list[Rule] | None = None  # as X has them
        self._due = 0.0  # monotonic s: the next look at the campaigns

    async def read(self, cursor: Cursor | None) -> AsyncGenerator[Item, None]:
        """As `Source.read`."""
        await self._keep_in_step()
        async with self._http.get(
            f"{self._settings.url.rstrip('/')}/2/tweets/search/stream",
            params={**_FIELDS, **self._missed(cursor)},
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT_SECONDS, sock_read=self._settings.timeout
            ),
        ) as response:
            await self._expect_stream(response, asked=cursor is not None)
            self._observer.connected(True)
            if cursor is None:  # a cut before the first line is a cut, too
                at = int(self._now() * 1000)
                yield Item(None, {"at": at}, at)
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > _LARGEST:
                    raise Disconnected("http", f"a line has more than {_LARGEST} bytes")
                at = int(self._now() * 1000)
                for line in lines:
                    line = line.strip()
                    if line:
                        _raise_farewell(line)
                    yield Item(line or None, {"at": at}, at)
                await self._keep_in_step()
        raise Disconnected("end", "X ended the stream")

    def _missed(self, cursor: Cursor | None) -> dict[str, str]:
        """The parameter that asks for what a cut took; says where that is not all."""
        if cursor is None:
            return {}
        away = self._now() - cursor["at"] / 1000
        if not self._backfill:
            self._observer.gap(f"{away:.0f} s without a connection, and ingest.x.backfill is off")
            return {}
        if away > _BACKFILL_MINUTES * 60:
            self._observer.gap(f"{away:.0f} s without a connection: X gives back 300 s")
        minutes = math.ceil((max(0.0, away) + _LATE_SECONDS) / 60)
        return {"backfill_minutes": str(min(minutes, _BACKFILL_MINUTES))}

    async def _expect_stream(self, response: aiohttp.ClientResponse, *, asked: bool) -> None:
        if response.status == 400 and asked and self._backfill:
            body = (await response.content.read(2048)).decode("utf-8", "replace")
            if "backfill" in body:
                self._backfill = False
                self._observer.gap("X refuses backfill_minutes to this account: going on without")
                raise Disconnected("end", "without backfill_minutes", 0.0)
            raise UserError(f"HTTP 400: {body[:300]}")
        await expect_ok(response)

    async def _keep_in_step(self) -> None:
        """Rules at X as the campaigns want them; looked at every `rules_interval`."""
        if time.monotonic() < self._due:
            return
        settings = self._settings
        first = self._rules is None
        try:
            rules = rules_of(
                await self._campaigns(), length=settings.rule_length, phrases=settings.phrases
            )
            if rules != self._rules:
                added, deleted = await self._book.bring_in_step(rules)
                self._rules = rules
                log.info("rules at X: %d (%d added, %d deleted)", len(rules), added, deleted)
        except UserError as error:
            if first:
                raise
            log.error("the rules at X stay as they are: %s", error)
        except (Disconnected, aiohttp.ClientError, TimeoutError) as error:
            if first:
                raise
            log.warning("the rules at X cannot be changed now: %s", error)
        self._due = time.monotonic() + settings.rules_interval


def _raise_farewell(line: bytes) -> None:
    """A line that says why X is about to close the connection is no record."""
    if b'"errors"' not in line and b'"connection_issue"' not in line:
        return
    try:
        found = _line(line)
        problem = msgspec.json.decode(line, type=_Problem)
    except msgspec.DecodeError:
        return
    if found.data is None:
        first = found.errors[0] if found.errors else problem
        raise Disconnected("http", f"X: {first.title}: {first.detail}")
