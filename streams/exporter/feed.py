"""Events as they are written: read from Redis once a second, however many listen."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from redis.exceptions import RedisError

from streams.store.events import EventStore, Written

log: Final = logging.getLogger(__name__)

_PAGE: Final = 500
_LIST_PAGE: Final = 1_000
_KEPT: Final = 2_000  # for listeners that are a little behind; the rest they read from Redis
_FIRST: Final = "0-0"
_AT_ONCE: Final = 8  # reads of older events: hundreds may come back at the same time


class Feed:
    """Hands every event to every listener, in order, each once."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._recent: deque[Written] = deque(maxlen=_KEPT)
        self._cursor: str | None = None  # of the newest event handed out
        self._more = asyncio.Event()

    async def run(self, seconds: float = 1.0) -> None:
        """Look for new events until cancelled."""
        while True:
            try:
                await self.step()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("events cannot be read: %s: %s", type(error).__name__, error)
            await asyncio.sleep(seconds)

    async def step(self) -> None:
        """Hand out what is new."""
        if self._cursor is None:
            newest = await self.store.newest(1)
            self._cursor = newest[0].cursor if newest else _FIRST
            return
        while found := await self.store.after(self._cursor, _PAGE):
            self._recent.extend(found)
            self._cursor = found[-1].cursor
            self._more.set()
            self._more = asyncio.Event()

    async def listed(
        self, after: str | None, wanted: Callable[[Written], bool], *, limit: int, each: int
    ) -> list[Written]:
        """The wanted among all that the stream holds: after a cursor in order, or (None) newest
        first; `limit` of them at most, and `each` of a kind.

        Posts of amplifiers come by the thousand, a threshold once in a day: who asks for it gets
        it, however many of the others lie on top of it.
        """
        found: list[Written] = []
        kinds: Counter[str] = Counter()
        cursor = after
        while True:
            async with self._gate:
                if after is None:
                    page = await self.store.newest(_LIST_PAGE, before=cursor)
                else:
                    page = await self.store.after(cursor or after, _LIST_PAGE)
            for event in page:
                kind = event.document["kind"]
                if wanted(event) and kinds[kind] < each:
                    kinds[kind] += 1
                    found.append(event)
                    if len(found) == limit:
                        return found
            if len(page) < _LIST_PAGE:
                return found
            cursor = page[-1].cursor

    async def listen(self, after: str | None) -> AsyncIterator[Written]:
        """Events written after that cursor (None: from now on), without end.

        Raises what redis-py raises where older events have to be read.
        """
        cursor = after or self._cursor or (await self._newest())
        while True:
            more = self._more
            found = await self._after(cursor)
            for event in found:
                cursor = event.cursor
                yield event
            if not found:
                await more.wait()

    async def _newest(self) -> str:
        async with self._gate:
            newest = await self.store.newest(1)
        return newest[0].cursor if newest else _FIRST

    async def _after(self, cursor: str) -> list[Written]:
        if self._recent and _place(self._recent[0].cursor) <= _place(cursor):
            return [event for event in self._recent if _place(event.cursor) > _place(cursor)]
        async with self._gate:
            return await self.store.after(cursor, _PAGE)


def _place(cursor: str) -> tuple[int, int]:
    ms, _, number = cursor.partition("-")
    return int(ms), int(number or 0)
