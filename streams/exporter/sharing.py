"""One answer for all who ask for the same at nearly the same time, so that a crowd costs Redis
what one reader costs."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

# What was costly is remembered for longer; always below the second after which a post that was
# taken back must be gone.
_LEAST_SECONDS: Final = 0.3
_MOST_SECONDS: Final = 0.8
_TIMES: Final = 10.0
_REMEMBERED: Final = 256
_AT_ONCE: Final = 16  # that are made; the client of Redis has 100 connections at most


class Shared:
    """Remembers answers for a moment, and who waits for one that is being made."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What `make` gives, now or a moment ago; raises what it raises."""
        known = self._answers.get(key)
        if known is None or known.is_old():
            known = self._answers[key] = _Answer(self._make(make))
            self._answers.move_to_end(key)
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return await asyncio.shield(known.making)

    async def _make(self, make: Callable[[], Awaitable[bytes]]) -> bytes:
        async with self._gate:
            return await make()


class _Answer:
    """An answer that is being made, or was made a moment ago."""

    def __init__(self, making: Awaitable[bytes]) -> None:
        self._began = time.monotonic()  # what it says may be as old
        self._until = 0.0
        self.making = asyncio.ensure_future(making)
        self.making.add_done_callback(self._done)

    def is_old(self) -> bool:
        return self.making.done() and time.monotonic() > self._until

    def _done(self, making: asyncio.Future[bytes]) -> None:
        took = time.monotonic() - self._began
        self._until = self._began + min(_MOST_SECONDS, max(_LEAST_SECONDS, took * _TIMES))
        if not making.cancelled():
            making.exception()  # is the callers', who may be gone by now
